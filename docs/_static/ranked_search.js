/*
 * How pages are ranked. Sphinx shows a page only if it has every word of a query; people type whole
 * questions. Here a page counts for each word that it has, a rare word for more than a common one,
 * and a heading for more than the text.
 */
"use strict";

for (const word of (
  "about an any can cannot could did do does doing done from get had has have how i its just me " +
  "my need our should so some than them through use using want we what when where which who why " +
  "with without would you your"
).split(" "))
  stopwords.add(word);

Search.performTermsSearch = (searchTerms, excludedTerms) => {
  const { terms, titleterms, docnames, filenames, titles } = Search._index;
  const listed = (found) => (found === undefined ? [] : [].concat(found));
  const pagesOf = (index, word) => {
    if (Object.hasOwn(index, word)) return listed(index[word]);
    if (word.length < 4) return [];
    return Object.keys(index)
      .filter((term) => term.startsWith(word))
      .flatMap((term) => listed(index[term]));
  };

  const scores = new Map();
  for (const word of searchTerms) {
    const inText = new Set(pagesOf(terms, word));
    const inHeadings = new Set(pagesOf(titleterms, word));
    const pages = new Set([...inText, ...inHeadings]);
    const rarity = Math.log((docnames.length + 1) / (pages.size || 1));
    for (const page of pages) {
      const weight = (inText.has(page) ? 1 : 0) + (inHeadings.has(page) ? 2 : 0);
      scores.set(page, (scores.get(page) || 0) + weight * rarity);
    }
  }
  const excluded = new Set([...excludedTerms].flatMap((word) => pagesOf(terms, word)));
  return [...scores]
    .filter(([page]) => !excluded.has(page))
    .map(([page, score]) => [
      docnames[page], titles[page], "", DESCRIPTIONS[docnames[page]], score, filenames[page],
      SearchResultKind.text,
    ]);
};
