"""The differences between two versions of one operation.

Decides which aspects are compared, and when something missing is no difference. compare_schema.py
compares values, and findings.py decides how much a difference matters.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias

from attrs import frozen
from generation.yaml_source import Pointer, is_list

from . import operation_view
from .compare_schema import LIMIT, Agreement, Comparison, Shown, escape
from .description import DescribedOperation, Description, is_same_path
from .findings import Change, Direction, severity_of_operation, severity_of_value
from .operation_view import JSON, Body, Limit, Parameter
from .schema_forms import PartError

Responses: TypeAlias = dict[str, Callable[[], Body]]
"""The responses of one side by status code, each as a function that reads it."""

_Success: TypeAlias = tuple[str, Body]
"""A successful response with its code."""


@frozen
class OperationComparison:
    """An operation on both sides, and the comparison that collects the findings."""

    here: Comparison
    old: DescribedOperation
    new: DescribedOperation
    old_side: Description
    new_side: Description

    def compare(self) -> None:
        """Note the differences, aspect by aspect.

        Raises:
            SchemaError: A part cannot be read.
        """
        old, new = self.old, self.new
        if not is_same_path(old.path.split("/"), new.path.split("/")):
            self._note_operation("path", "/path", (old.path, new.path), "other", old.at[:2])
        if old.method != new.method:
            shown = (old.method.upper(), new.method.upper())
            self._note_operation("method", "/method", shown, "other")
        if self.old_side.ours and self.new_side.ours:
            self._compare_names()
            self._compare_servers()
        now = new.raw.get("deprecated") is True
        if (old.raw.get("deprecated") is True) != now:
            change: Change = "added" if now else "removed"
            self._note_operation("deprecated", "/deprecated", (not now, now), change)
        said = [operation_view.texts(one.raw, "summary", "description") for one in (old, new)]
        self.here.compare_texts(said[0], said[1], "", (*old.at, "description"))
        self._compare_scopes()
        self._compare_parameters()
        self._compare_request()
        self._compare_responses()

    @property
    def _sides(
        self,
    ) -> tuple[tuple[DescribedOperation, Description], tuple[DescribedOperation, Description]]:
        return (self.old, self.old_side), (self.new, self.new_side)

    @property
    def _is_page(self) -> bool:
        """True if the new side is a page, which shows one response without its status."""
        return "responses" in operation_view.unsaid(self.new.raw)

    def _is_left_out(self, said: bool) -> bool:
        """Return True if HubSpot leaves out something that its descriptions often leave out."""
        return not said and self.old_side.ours and not self.new_side.ours

    def _note_operation(
        self, kind: str, pointer: str, shown: Shown, change: Change, at: Pointer | None = None
    ) -> None:
        verdict = severity_of_operation(kind, change)
        self.here.note(verdict, kind, pointer, shown, self.old.at if at is None else at)

    def _compare_names(self) -> None:
        tags = [_first(one.raw.get("tags")) for one in (self.old, self.new)]
        for key, was, now in (("operationId", self.old.id, self.new.id), ("tags", *tags)):
            if was != now:
                self._note_operation("name", f"/{key}", (was, now), "other", (*self.old.at, key))

    def _compare_servers(self) -> None:
        old, new = operation_view.servers(self.old_side), operation_view.servers(self.new_side)
        for address in sorted(old - new):
            self._note_operation("server", "/servers", (address, None), "removed", ("servers",))
        for address in sorted(new - old):
            self._note_operation("server", "/servers", (None, address), "added", ("servers",))

    def _compare_scopes(self) -> None:
        # The fragments have one scheme, which stands for all of HubSpot's.
        by_scheme = not self.old_side.ours and not self.new_side.ours
        old = operation_view.ways(self.old, self.old_side, by_scheme=by_scheme)
        new = operation_view.ways(self.new, self.new_side, by_scheme=by_scheme)
        if old is None or new is None:
            return
        shown = [_shown_ways(ways, by_scheme=by_scheme) for ways in (old, new)]
        if old == new:
            self.here.agreed.append(Agreement("/scopes", "scopes", shown[0]))
            return
        enough = all(any(some <= given for some in new) for given in old)
        change: Change = "wider" if enough else "narrower"
        self._note_operation(
            "scopes", "/scopes", (shown[0], shown[1]), change, (*self.old.at, "security")
        )

    def _compare_parameters(self) -> None:
        if "parameters" in operation_view.unsaid(self.new.raw):
            return
        read = [partial(operation_view.parameters, *side) for side in self._sides]
        both = self.here.read_both("/parameters", (*self.old.at, "parameters"), *read)
        if both is None:
            return
        old, new = both
        filled = _filled(self.old.path, self.new.path)
        for key in [*old, *(key for key in new if key not in old)]:
            if key[0] == "path" and key[1] in filled:
                continue  # the other side's path has the value itself
            pointer = f"/{key[0]}/{escape(key[1])}"
            before, after = old.get(key), new.get(key)
            if before and after:
                self._compare_parameter(pointer, before, after)
            elif before:
                self._note_parameter(pointer, "parameter", before, None)
            elif after:
                self._note_parameter(
                    pointer, "required" if after.required else "parameter", None, after
                )

    def _note_parameter(
        self, pointer: str, judged: str, before: Parameter | None, after: Parameter | None
    ) -> None:
        words = {True: "required", False: "optional"}
        shown = (before and words[before.required], after and words[after.required])
        verdict = severity_of_value(judged, "removed" if before else "added", "request")
        at = before.at if before else (*self.old.at, "parameters")
        self.here.note(verdict, "parameter", pointer, shown, at)

    def _compare_parameter(self, pointer: str, old: Parameter, new: Parameter) -> None:
        skipped = operation_view.unsaid(new.raw)
        if "required" not in skipped:
            self._compare_required(pointer, old.required, new.required, old.at)
        if old.deprecated != new.deprecated:
            shown = (old.deprecated, new.deprecated)
            change: Change = "added" if new.deprecated else "removed"
            here = f"{pointer}/deprecated"
            self._note_request("deprecated", here, shown, change, old.at)
        if "style" not in skipped and self._has_parts(old):
            if old.style != new.style:
                here = f"{pointer}/style"
                self._note_request("style", here, (old.style, new.style), "other", old.at)
            else:
                self.here.agreed.append(Agreement(f"{pointer}/style", "style", old.style))
        keys = ("description", "example")
        said = [operation_view.texts(side.raw, *keys) for side in (old, new)]
        self.here.compare_texts(said[0], said[1], pointer, old.at)
        self.here.compare_schemas(old.schema, new.schema, pointer, "request")

    def _has_parts(self, parameter: Parameter) -> bool:
        """Return True for a list or an object, which a query can spell in several styles."""
        try:
            forms = self.old_side.reader.shape(parameter.schema).forms
        except PartError:
            return False  # which is noted with its schema
        return not forms or any(form.kind in ("array", "object") for form in forms)

    def _note_request(
        self, kind: str, pointer: str, shown: Shown, change: Change, at: Pointer
    ) -> None:
        self.here.note_value(kind, pointer, shown, way="request", change=change, at=at)

    def _compare_required(self, pointer: str, was: bool, now: bool, at: Pointer) -> None:
        if was != now:
            change: Change = "added" if now else "removed"
            self._note_request("required", pointer, (was, now), change, at)

    def _compare_request(self) -> None:
        read = [partial(operation_view.request, *side) for side in self._sides]
        both = self.here.read_both("/request", (*self.old.at, "requestBody"), *read)
        if both is None:
            return
        old, new = both
        if not self._is_left_out("required" in new.raw) and "required" not in operation_view.unsaid(
            new.raw
        ):
            was, now = (side.raw.get("required") is True for side in (old, new))
            self._compare_required("/request", was, now, old.at)
        self._compare_description("/request", old, new)
        if self._compare_content("/request", old, new, "request"):
            self.here.compare_schemas(old.schema, new.schema, "/request", "request")
        self._compare_limit(old, new)

    def _compare_limit(self, old: Body, new: Body) -> None:
        if self.here.unread & {"/request", LIMIT[0]}:
            return  # which is noted already
        pointer = "/".join(LIMIT)
        read = (
            lambda: operation_view.limit(old, *self._sides[0]),
            lambda: operation_view.limit(new, *self._sides[1], self._known_limit(old)),
        )
        both = self.here.read_both(pointer, old.at, *read)
        if both is None:
            return
        before, after = both
        was, now, at = before.value, after.value, before.at
        if self._is_left_out(now is not None) or _only_words(before, after):
            return
        if was == now:
            self.here.agreed.append(Agreement(pointer, "limit", was))
            return
        less = was is None or (now is not None and now < was)
        self._note_request("limit", pointer, (was, now), "narrower" if less else "wider", at)

    def _known_limit(self, old: Body) -> int | None:
        try:
            return operation_view.limit(old, *self._sides[0]).value
        except PartError:
            return None

    def _compare_description(self, pointer: str, old: Body, new: Body) -> None:
        said = [operation_view.texts(side.raw, "description") for side in (old, new)]
        self.here.compare_texts(said[0], said[1], pointer, old.at)

    def _compare_content(self, pointer: str, old: Body, new: Body, way: Direction) -> bool:
        """Note different media types; return True if both sides have JSON."""
        had, has = old.types.keys(), new.types.keys()
        for name in sorted(had ^ has):
            shown = (None, name) if name in has else (name, None)
            self._note_content(pointer, shown, old.at, way)
        return JSON in had and JSON in has

    def _note_content(self, pointer: str, shown: Shown, at: Pointer, way: Direction) -> None:
        change: Change = "added" if shown[0] is None else "removed"
        here = f"{pointer}/content"
        self.here.note_value("content", here, shown, way=way, change=change, at=at)

    def _compare_responses(self) -> None:
        old, new = (operation_view.responses(*side) for side in self._sides)
        kept, come = ({code for code in side if code[:1] == "2"} for side in (old, new))
        apart = kept != come and kept and come
        if self._is_page or apart:
            both = self._successes(old, is_old=True), self._successes(new, is_old=False)
            if not self._is_page:
                self._compare_codes(kept, come)
                self._compare_bodies(*both)
            self._compare_successes(*both)
        done = kept | come if apart else set[str]()
        for code in sorted((old.keys() | new.keys()) - done) if not self._is_page else ():
            pointer = f"/response/{escape(code)}"
            if code not in old or code not in new:
                self._note_status(pointer, code, present=code in new)
            elif pair := self.here.read_both(pointer, self._at_responses, old[code], new[code]):
                self._compare_description(pointer, *pair)
                if self._compare_content(pointer, *pair, "response"):
                    self.here.compare_schemas(pair[0].schema, pair[1].schema, pointer, "response")

    @property
    def _at_responses(self) -> Pointer:
        return (*self.old.at, "responses")

    def _note_status(self, pointer: str, code: str, *, present: bool) -> None:
        shown = (None, code) if present else (code, None)
        kind = "status" if code[:1] == "2" else "error"
        verdict = severity_of_value(kind, "added" if present else "removed", "response")
        self.here.note(verdict, "status", pointer, shown, (*self.old.at, "responses"))

    def _compare_codes(self, kept: set[str], come: set[str]) -> None:
        """Compare the codes of successful responses, where they differ."""
        if "2XX" in kept | come:  # one side has the class, the other single codes
            change: Change = "narrower" if "2XX" in kept else "wider"
            shown = (sorted(kept), sorted(come))
            way: Direction = "response"
            at = self._at_responses
            self.here.note_value("status", "/response/2XX", shown, way=way, change=change, at=at)
        else:
            for code in sorted(kept ^ come):
                self._note_status(f"/response/{code}", code, present=code in come)

    def _compare_bodies(self, old: list[_Success], new: list[_Success]) -> None:
        """Compare the media types of successful responses, where their codes differ.

        If no code is left, each new one is compared with all that could come before.
        """
        before = dict(old)
        moved = not before.keys() & dict(new).keys()
        had = [{*body.types} for body in before.values()]
        for code, body in new:
            pointer, has = f"/response/{code}", {*body.types}
            if code in before:
                self._compare_content(pointer, before[code], body, "response")
            elif had and moved:
                for name in sorted(had[0].intersection(*had) - has):
                    self._note_content(pointer, (name, None), self._at_responses, "response")
                for name in sorted(has.difference(*had)):
                    self._note_content(pointer, (None, name), self._at_responses, "response")

    def _successes(self, side: Responses, *, is_old: bool) -> list[_Success]:
        """Return the successful responses that can be read, in the order of their codes."""
        reader = self.here.old if is_old else self.here.new

        def read(code: str) -> _Success:
            body = side[code]()
            reader.shape(body.schema)
            return code, body

        codes = sorted(code for code in side if code[:1] == "2")
        found = (
            self.here.read_one(
                f"/response/{code}", self._at_responses, partial(read, code), is_old=is_old
            )
            for code in codes
        )
        return [one for one in found if one is not None]

    def _compare_successes(self, old: list[_Success], new: list[_Success]) -> None:
        """Compare the schemas of successful responses in the order of their codes.

        If one side has fewer, its last response is compared with the rest of the other side.
        """
        ours, theirs = (
            reader.either([body.schema for _, body in side if JSON in body.types])
            for side, reader in ((old, self.here.old), (new, self.here.new))
        )
        for index in range(max(len(ours), len(theirs)) if ours and theirs else 0):
            one, other = (side[min(index, len(side) - 1)] for side in (ours, theirs))
            self.here.compare_shapes(one, other, "/response/2XX", "response")


def _shown_ways(ways: Iterable[operation_view.AuthWay], *, by_scheme: bool) -> list[str]:
    """Return the ways in words; what needs nothing, and what takes no token, are ways too."""
    nothing = "no token" if by_scheme else "no scope"
    shown = sorted(" ".join(map(str, sorted(way))) or nothing for way in ways)
    return shown or ["another key than a token"]


def _filled(*paths: str) -> set[str]:
    """Return the names of the parameters that only some of the paths have."""
    named = [{found[1] for found in re.finditer(r"\{([^}]*)\}", path)} for path in paths]
    return named[0].union(*named) - named[0].intersection(*named)


def _only_words(before: Limit, after: Limit) -> bool:
    """Return True if one side lacks only a sentence; silence is no change of the server."""
    return before.in_words and after.in_words and None in (before.value, after.value)


def _first(tags: object) -> Any:
    return tags[0] if is_list(tags) and tags else None
