"""Matches results to inputs by the property values that they repeat, where no key names the input.

This module decides which input a result belongs to: the only one that a server could have stored as
that record. `value_forms` knows how servers change values. A result that could belong to two
different inputs is given to neither.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise, takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

from hubspot_batch._cached_property import cached_property
from hubspot_batch._json import canonical, is_list, is_map

from .value_forms import (
    Forms,
    forms_of_sent,
    forms_of_stored,
    letters_and_digits,
    letters_and_digits_ascii,
)

if TYPE_CHECKING:
    from .items import EncodedInput
    from .match import Results


Properties = Mapping[str, Any]

# How many blanks a cut text may have lost, if its spelling changed too.
_BLANKS_CUT = 2


PROPERTIES = ("properties",)
"""The field that most results repeat; a server may add values of its own to it."""


def repeated_values(wire: Mapping[str, Any], fields: Sequence[str]) -> Properties:
    """Return the values that an input and its result have in common.

    Args:
        wire: The JSON object.
        fields: The fields that both have.
    """
    if tuple(fields) == PROPERTIES:
        values: object = wire.get("properties")
        return values if is_map(values) else {}
    found: dict[str, Any] = {}
    for name in fields:
        value: object = wire.get(name)
        if is_list(value):  # a list of properties, such as customProperties
            value = {one["name"]: one.get("value") for one in value if _is_property(one)}
        if is_map(value):
            # A server may add names of its own, so each value is compared separately.
            inner = value.items()
            found |= {f"{name}.{key}": one for key, one in inner if not isinstance(one, _NESTED)}
        elif name in wire:
            found[name] = value
    return found


_NESTED = (dict, list)


def _is_property(value: object) -> bool:
    return is_map(value) and isinstance(value.get("name"), str)


class PropertyMatches(NamedTuple):
    """Results that were matched by their properties.

    Attributes:
        done: By position, the results of the inputs that were carried out. None if several inputs
            were carried out, and it is open which result belongs to which.
        left: The numbers of the results that could not be matched.
    """

    done: dict[int, Any]
    left: list[int]


def match_by_properties(
    entries: Sequence[EncodedInput],
    positions: Sequence[int],
    results: Results,
    numbers: Sequence[int],
    *,
    complete: bool,
    named_by: str | None = None,
    repeated: Sequence[str] = PROPERTIES,
) -> PropertyMatches:
    """Match results without a key to inputs without a result or an error.

    Args:
        entries: The inputs of the request.
        positions: The positions of inputs without a result or an error.
        results: The results of the response.
        numbers: The numbers of those without a key.
        complete: Whether every error names its input. If not, counting proves nothing.
        named_by: The property that a record has only if its own input set it.
        repeated: The fields that results repeat.
    """
    sent: list[Properties] = [repeated_values(entries[at].wire, repeated) for at in positions]
    stored = {
        number: results.properties_of(results.values[number])
        for number in numbers
        if results.ids[number] is not None
    }
    records = [*stored.values()]
    groups = [[position] for position in positions]
    index = _PropertyIndex(sent, records, named_by)
    if not index.all_differ:
        groups = _equal_inputs(entries, positions)
        first = dict(zip(positions, sent, strict=True))
        index = _PropertyIndex([first[group[0]] for group in groups], records, named_by)
    done: dict[int, Any] = {}
    candidates = {number: index.candidates(properties) for number, properties in stored.items()}
    free = {*range(len(groups))}
    settled = True
    while settled:
        # A match made in this round narrows the choice from the next round on.
        among, settled = {*free}, False
        for number in [*stored]:
            for at, rivals in candidates[number]:
                if groups[at] and rivals & among == {at}:
                    done[groups[at].pop(0)] = results.values[number]
                    del stored[number]
                    settled = True
                    if not groups[at]:
                        free.discard(at)
                    break
    # A second record of an input was made twice, so another input may have none.
    twice = any(not groups[at] for number in stored for at, _ in candidates[number])
    counted = _count(stored, index, groups) if complete and not twice else []
    done.update(dict.fromkeys(counted))
    if len(counted) == 1:
        done[counted[0]] = results.values[stored.popitem()[0]]
    left = [number for number in numbers if number in stored or results.ids[number] is None]
    return PropertyMatches(done, left)


def _equal_inputs(entries: Sequence[EncodedInput], positions: Sequence[int]) -> list[list[int]]:
    """Group inputs that are equal except for their keys. Any of a group stands for the others."""
    groups: dict[bytes, list[int]] = {}
    for position in positions:
        entry = entries[position]
        wire = {name: value for name, value in entry.wire.items() if value != entry.key}
        groups.setdefault(canonical(wire), []).append(position)
    return [*groups.values()]


def _count(
    stored: Mapping[int, Properties], index: _PropertyIndex, groups: Sequence[Sequence[int]]
) -> list[int]:
    """Return the remaining inputs if as many records remain: then all were done.

    Each record must be able to belong to an input of its own. Two records of one input would leave
    another input without one.
    """
    free = [position for group in groups for position in group]
    if len(stored) != len(free):
        return []
    owners = [at for at, group in enumerate(groups) for _ in group]
    wishes = [
        [place for place, at in enumerate(owners) if index.may_belong_to(properties, at)]
        for properties in stored.values()
    ]
    return free if can_all_be_placed(wishes) else []


def can_all_be_placed(wishes: Iterable[Sequence[int]]) -> bool:
    """Whether each can take one of its places; the ones with the fewest choices go first.

    False may be wrong: not every combination is tried, to keep the code small.
    """
    taken: set[int] = set()
    for wish in sorted(wishes, key=len):
        place = next((place for place in wish if place not in taken), None)
        if place is None:
            return False
        taken.add(place)
    return True


class _PropertyIndex:
    """The properties of inputs, indexed by the property that distinguishes most of them.

    Args:
        inputs: The properties of each input.
        records: The properties of the results.
        named_by: The property that a record has only if its own input set it.
    """

    def __init__(
        self,
        inputs: Sequence[Properties],
        records: Sequence[Properties] = (),
        named_by: str | None = None,
    ) -> None:
        self._inputs = inputs
        self._records = records
        self._named_by = named_by
        self._distinct = _distinct_name(inputs)
        self.all_differ = self._distinct is not None
        self._by_form: dict[str, dict[Hashable, set[int]]] = {}
        self._by_word: dict[str, list[tuple[str, int]]] = {}
        self._forms: dict[str, Forms] = {}
        self._longest: dict[str, tuple[int, int]] = {}

    @cached_property
    def _names(self) -> list[str]:
        """The properties, those that distinguish most inputs first."""
        values: defaultdict[str, set[str]] = defaultdict(set)
        for properties in self._inputs:
            for name, value in properties.items():
                values[name].add(str(value))
        return sorted(values, key=lambda name: len(values[name]), reverse=True)

    @cached_property
    def _by_text(self) -> dict[object, int]:
        """The inputs by a text that no server makes of the text of another input.

        Most results repeat it as it was sent, and then nothing else has to be compared.
        """
        if self._distinct is None:
            return {}
        texts: list[str] = [properties[self._distinct] for properties in self._inputs]
        # Other texts can be numbers, times or HTML.
        together = "".join(texts)
        if not together.isascii() or "&" in together or "<" in together:
            return {}
        if not all(text[:1].isalpha() for text in texts):
            return {}
        words = sorted(zip(map(letters_and_digits_ascii, texts), range(len(texts)), strict=True))
        whole: dict[object, int] = {text: at for at, text in enumerate(texts)}
        for place, ((word, at), (following, _)) in enumerate(pairwise(words), 1):
            if word == following:
                return {}
            if following.startswith(word) and self._is_cut_of_another(words, place, texts):
                del whole[texts[at]]
        return whole

    def _is_cut_of_another(
        self, words: Sequence[tuple[str, int]], place: int, texts: Sequence[str]
    ) -> bool:
        """Whether the text before a place can be a truncated form of a following text."""
        assert self._distinct is not None  # noqa: S101 - the texts are its values
        word, at = words[place - 1]
        longer = takewhile(lambda other: other[0].startswith(word), islice(words, place, None))
        return any(self._may_be_cut(self._distinct, texts[one], texts[at]) for _, one in longer)

    def candidates(self, stored: Properties) -> list[tuple[int, set[int]]]:
        """Return the inputs that a server can have stored as a result, each with its rivals.

        A rival is an input that the result could as well belong to; each input is its own rival.
        """
        value = stored.get(self._distinct) if self._distinct else None
        only = self._by_text.get(value) if isinstance(value, str) else None
        if only is not None and self._inputs[only].items() <= stored.items():  # usually
            return [(only, {only})]
        name = next((name for name in self._names if name in stored), None)
        if name is None:
            return []
        nameless = self._unnamed(stored)
        near = self._inputs_stored_as(name, stored[name]) - nameless
        found: list[tuple[int, set[int]]] = []
        for at in near:
            sent = self._inputs[at]
            if not self._repeats(stored, sent):
                continue
            others = near if name in sent else {*range(len(self._inputs))} - nameless
            rivals = (one for one in others if not self._distinguished(stored, sent, one))
            found.append((at, {at, *rivals}))
        return found

    def _repeats(self, stored: Properties, sent: Properties) -> bool:
        """Whether a result has a value that was sent, and no other value for any."""
        common = sent.keys() & stored.keys()
        return bool(common) and all(self._same(stored[name], sent[name]) for name in common)

    def _distinguished(self, stored: Properties, sent: Properties, other: int) -> bool:
        """Whether a result that repeats one input cannot belong to another.

        Only a property that both inputs set counts: the server can have filled in what one of them
        left out.
        """
        others = self._inputs[other]
        common = sent.keys() & stored.keys() & others.keys()
        return any(not self._may_become(name, others[name], stored[name]) for name in common)

    def _unnamed(self, stored: Properties) -> set[int]:
        """Return the inputs without the name that a result has from another input."""
        name = self._named_by
        if name is None or not stored.get(name):
            return set()
        nameless = self._inputs_by_form(name)[None]
        return nameless if self._inputs_stored_as(name, stored[name]) - nameless else set()

    def may_belong_to(self, stored: Properties, at: int) -> bool:
        """Return False if a result has other values for all that the input set."""
        sent = self._inputs[at]
        common = sent.keys() & stored.keys()
        return not common or any(self._may_become(n, sent[n], stored[n]) for n in common)

    def _same(self, stored: object, sent: object) -> bool:
        """Whether a value is what was sent, in another form."""
        return stored == sent or not self._forms_of_sent(sent).isdisjoint(forms_of_stored(stored))

    def _may_become(self, name: str, sent: object, stored: object) -> bool:
        """Whether a server can have stored one value as another, or as the beginning of it."""
        if self._same(stored, sent):
            return True
        if not isinstance(sent, str) or not isinstance(stored, str):
            return False
        word = letters_and_digits(stored)
        begins = word != "" and letters_and_digits(sent).startswith(word)
        return begins and self._may_be_cut(name, sent, stored)

    def _may_be_cut(self, name: str, sent: str, stored: str) -> bool:
        """Whether a server can have truncated one text to the other.

        Where another result has a longer text, the server does not cut the texts at this length.
        Some servers count characters, some count bytes, and some cut off blanks afterwards.
        """
        if name not in self._longest:
            texts = [each for one in self._records if isinstance(each := one.get(name), str)]
            in_bytes = max((len(each.encode(errors="replace")) for each in texts), default=0)
            self._longest[name] = max(map(len, texts), default=0), in_bytes
        characters, in_bytes = self._longest[name]
        blanks = _BLANKS_CUT
        if sent.startswith(stored):
            rest = sent[len(stored) :]
            blanks = len(rest) - len(rest.lstrip())
        if len(stored) + blanks >= characters:
            return True
        return len(stored.encode(errors="replace")) + blanks >= in_bytes

    def _forms_of_sent(self, value: object) -> Forms:
        if not isinstance(value, str):
            return forms_of_sent(value)
        forms = self._forms.get(value)
        if forms is None:
            forms = self._forms[value] = forms_of_sent(value)
        return forms

    def _inputs_by_form(self, name: str) -> dict[Hashable, set[int]]:
        """Return the inputs by the forms of a property's value; under None those without it."""
        by_mark = self._by_form.get(name)
        if by_mark is None:
            by_mark = self._by_form[name] = defaultdict(set)
            for at, properties in enumerate(self._inputs):
                for mark in (
                    self._forms_of_sent(properties[name]) if name in properties else (None,)
                ):
                    by_mark[mark].add(at)
        return by_mark

    def _inputs_stored_as(self, name: str, value: object) -> set[int]:
        """Return the inputs that may be stored with this value, and those that set none."""
        by_mark = self._inputs_by_form(name)
        near = {*by_mark.get(None, ())}
        for mark in forms_of_stored(value):
            near |= by_mark.get(mark, set())
        if isinstance(value, str):
            near.update(self._inputs_beginning_with(name, letters_and_digits(value)))
        return near

    def _inputs_beginning_with(self, name: str, word: str) -> Iterator[int]:
        """Yield the inputs whose text begins with a word."""
        words = self._by_word.get(name)
        if words is None:
            texts = [(at, one.get(name)) for at, one in enumerate(self._inputs)]
            words = sorted(
                (letters_and_digits(text), at) for at, text in texts if isinstance(text, str)
            )
            self._by_word[name] = words
        start = bisect_left(words, (word,)) if word else len(words)
        while start < len(words) and words[start][0].startswith(word):
            yield words[start][1]
            start += 1


def _distinct_name(inputs: Sequence[Properties]) -> str | None:
    """Return a property with a different text in each input; None if there is none."""
    for name in inputs[0] if inputs else ():
        values = [properties.get(name) for properties in inputs]
        if {*map(type, values)} == {str} and len(set(values)) == len(values):
            return name
    return None
