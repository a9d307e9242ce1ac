"""From a captured documentation page to the facts that it states.

Decides what on a page is an example, a field, a list of values or a sentence, in four languages.
In: the text of a page. Out: facts, which are kept in openapi/pages/ and compared with the fragments
as a description; a page that is cut off is an error.
"""
