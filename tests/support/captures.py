"""Documentation pages as a browser or an exporter captures them, made from facts.

Every form in which HubSpot's pages have been captured, in four languages. The sentences are made
up; what they state is what is asked for.
"""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen

Json = dict[str, Any]

_WORDS: dict[str, dict[str, str]] = {
    "English": {
        "about": "This makes or changes many records with one call.",
        "limit": "The maximum number of records in a batch request is {limit}.",
        "order": "The order of the results is not guaranteed.",
        "products": "Supported products",
        "scopes": "Required Scopes",
        "query": "Query Parameters",
        "body": "Body",
        "response": "Response",
        "required": "required",
        "options": "Available options:",
        "default": "Default",
        "field": "What the {name} of the answer is about.",
        "end": "Was this page helpful?",
    },
    "French": {
        "about": "Ce point crée ou change plusieurs fiches avec un appel.",
        "limit": "Le nombre maximal de fiches dans un lot est de {limit}.",
        "order": "L’ordre des résultats n’est pas garanti.",  # noqa: RUF001 - as French is set
        "products": "Produits pris en charge",
        "scopes": "Portées requises",
        "query": "Paramètres de requête",
        "body": "Corps",
        "response": "Réponse",
        "required": "requis",
        "options": "Options disponibles :",
        "default": "Par défaut",
        "field": "Ce que dit {name} dans la réponse.",
        "end": "La page est une aide pour les lecteurs.",
    },
    "German": {
        "about": "Hiermit wird die Arbeit mit vielen Datensätzen auf einmal erledigt.",
        "limit": "Ein Batch hat höchstens {limit} Datensätze.",
        "order": "Die Reihenfolge der Ergebnisse wird nicht garantiert.",
        "products": "Unterstützte Produkte",
        "scopes": "Erforderliche Bereiche",
        "query": "Abfrageparameter",
        "body": "Body",
        "response": "Antwort",
        "required": "erforderlich",
        "options": "Verfügbare Optionen:",
        "default": "Standard",
        "field": "Was {name} in der Antwort bedeutet und wann.",
        "end": "Last modified on March 24, 2026",
    },
    "Spanish": {
        "about": "Con esto se cambian los registros en una sola llamada.",
        "limit": "El número máximo de registros en un lote es de {limit}.",
        "order": "El orden de los resultados no está garantizado.",
        "products": "Productos compatibles",
        "scopes": "Ámbitos requeridos",
        "query": "Parámetros de consulta",
        "body": "Cuerpo",
        "response": "Respuesta",
        "required": "obligatorio",
        "options": "Opciones disponibles:",
        "default": "Predeterminado",
        "field": "Lo que se dice con {name} cuando se responde.",
        "end": "El fin de los datos.",
    },
}
LANGUAGES = tuple(_WORDS)


@frozen
class Form:
    """How a page is captured."""

    language: str = "English"
    described: str = "between"  # before, between or after the examples
    twice: bool = True
    indented: bool = False
    glued: bool = True
    split_path: bool = False
    heading: bool = False
    samples: bool = False
    listed: bool = False
    markdown: bool = False
    windows: bool = False
    short_call: bool = False
    spaced: bool = False  # with spaces that do not break, and with invisible characters
    buttons: bool = False  # that stand around examples
    expanded: bool = False  # the insides of fields, too


_SAMPLES = """\
import requests

url = "https://api.hubapi.com{path}"

payload = {body}
headers = {{
    "Authorization": "Bearer <token>",
    "Content-Type": "application/json"
}}

response = requests.post(url, json=payload, headers=headers)

print(response.text)
const options = {{
  method: 'POST',
  headers: {{Authorization: 'Bearer <token>', 'Content-Type': 'application/json'}},
  body: JSON.stringify({{inputs: [{{properties: {{}}}}]}})
}};

fetch('https://api.hubapi.com{path}', options)
  .then(res => res.json())
<?php
$curl = curl_init();
curl_setopt_array($curl, [
  CURLOPT_POSTFIELDS => json_encode([
    'inputs' => [[ 'properties' => [] ]]
  ]),
]);
package main
func main() {{
	payload := strings.NewReader("{{\\n  \\"inputs\\": [\\n    {{\\"id\\": \\"1\\"}}\\n  ]\\n}}")
}}
HttpResponse<String> response = Unirest.post("https://api.hubapi.com{path}")
  .body("{{\\n  \\"inputs\\": []\\n}}")
  .asString();
request.body = "{{\\n  \\"inputs\\": []\\n}}"
"""


def render(facts: Json, form: Form) -> str:
    """The text of a page that states the facts, as they stand in openapi/pages."""
    words = _WORDS[form.language]
    describes = words["about"]
    if facts["limit"] is not None:
        describes += " " + words["limit"].format(limit=facts["limit"])
    if facts["order_of_results"]:
        describes += " " + words["order"]
    example = _example(facts, form)
    parts = [example]
    if form.described == "between":
        parts = [example, describes, *([example] if form.twice else [])]
    elif form.described == "before":
        parts = [describes, *([example] * (1 + form.twice))]
    else:
        parts = [*([example] * (1 + form.twice)), describes]
    glue = "" if form.glued and not form.markdown else "\n\n"
    text = glue.join(parts)
    if form.split_path:
        pieces = "\n/\n".join(facts["path"].strip("/").split("/"))
        text = f"Skip to main content\n{facts['method']}\n/\n{pieces}\nA title\n{text}"
    elif form.heading:
        text = f"A title\n{facts['method']} {facts['path']}\n{text}"
    if form.markdown:
        text = (
            "> ## Index\n> Where all pages are.\n\n# A title\n\n> A word on the page.\n\n"
            "export const Skipped = () => {\n  return <div>maximum batch 7</div>;\n};\n\n"
            f"<Skipped />\n\n{text}"
        )
    fields = _listed(facts, words, form) if form.listed else _described(facts, words)
    text += f"{'' if form.glued else chr(10) * 2}{words['products']}\n{fields}{words['end']}"
    text = text.replace(" ", "\u00a0").replace("\n", "\u200b\n") if form.spaced else text
    return text.replace("\n", "\r\n") if form.windows else text


def field_sentence(language: str, name: str) -> str:
    """The sentence about a field of the response."""
    return _WORDS[language]["field"].format(name=name)


def _example(facts: Json, form: Form) -> str:
    def shown(value: Any) -> str:
        text = json.dumps(value, indent=2 if form.indented else 0)
        return text.replace(",\n", ",\n")

    body = shown(facts["request"])
    call = (
        f"curl --request {facts['method']} \\\n--url https://api.hubapi.com{facts['path']} \\\n"
        "--header 'Authorization: Bearer <token>' \\\n"
        f"--header 'Content-Type: application/json' \\\n--data '\n{body}\n'"
    )
    if form.short_call:
        head = f'curl -X {facts["method"]} "https://api.hubapi.com{facts["path"]}" \\\n-d'
        call = f"{head} '\n{body}\n'"
    samples = ""
    if form.buttons:
        call, samples = f"\nCopy\nAsk AI\ncURL\nPython\n{call}", "\n200\n207\n"
    if form.samples:
        python = body.replace("true", "True").replace("false", "False")
        samples += "\n" + _SAMPLES.format(path=facts["path"], body=python)
    answer = shown(facts["response"])
    if form.markdown:
        return f"```bash\n{call}{samples}\n```\n\n```json\n{answer}\n```"
    return f"{call}{samples}{'' if form.glued else chr(10)}{answer}"


def _described(facts: Json, words: dict[str, str]) -> str:
    lines = [words["scopes"], *(facts["scopes"] or ()), "Show child attributes"]
    for name, value in facts["response"].items():
        if isinstance(value, dict | list):
            lines.append("Show child attributes")
        else:
            lines.append(words["field"].format(name=name))
        if name in facts["enums"]:
            lines.append(", ".join(facts["enums"][name]) + " Show child attributes")
    return "\n".join(lines) + "\n"


def _listed(facts: Json, words: dict[str, str], form: Form) -> str:
    lines = ["", words["scopes"], *(facts["scopes"] or ()), ""]
    lines += ["Authorization", "string", "header", words["required"], ""]
    if facts["query"] is not None:
        lines += [words["query"], ""]
        for name, kind in facts["query"].items():
            plain, _, mark = kind.partition(", ")
            lines += [name, plain, f"{words['default']}: 1"]
            lines += [words["required"]] if mark else []
    lines += ["", words["body"], "", "application/json", "inputs", "object[]", words["required"]]
    lines += ["", words["response"], "", "successful operation", ""]
    for name, kind in (facts["fields"] or {}).items():
        plain, _, mark = kind.partition(", ")
        lines += [name, plain, *([words["required"]] if mark else []), ""]
        lines += [words["field"].format(name=name), ""]
        if form.expanded and isinstance(inner := facts["response"].get(name), list):
            lines += ["Hide child attributes", ""]
            for key in sorted(inner[0], key=lambda key: key in facts["response"]):
                lines += [key, "object", words["required"], ""]
        if name in facts["enums"]:
            values = facts["enums"][name]
            lines += [words["options"], *(f"{value}," for value in values[:-1]), values[-1]]
    return "\n".join(lines) + "\n\n"
