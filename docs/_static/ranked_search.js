/*
 * How pages are ranked. Sphinx shows a page only if it has every word of a query; people type whole
 * questions. Here a page counts for each word that it has, and a rare word for more than a common
 * one. WORDS says how much a word says of a page (extensions/search_words.py).
 */
"use strict";

for (const word of (
  "about an any can cannot could did do does doing done from get has had have how i its just me " +
  "my need our should so some than them through too use using want we what when where which who " +
  "why with without would you your"
).split(" "))
  stopwords.add(word);

// Sphinx leaves out numbers, but people look for 429.
const parseQuery = Search._parseQuery;
Search._parseQuery = (query) => {
  const parsed = parseQuery(query);
  for (const word of splitQuery(query)) if (/^\d+$/.test(word)) parsed[1].add(word);
  return parsed;
};

const weightsOf = (word) => {
  if (Object.hasOwn(WORDS.words, word)) return WORDS.words[word];
  if (word.length < 4) return [];
  // A word that is not finished, or has another ending.
  return Object.keys(WORDS.words)
    .filter((known) => known.startsWith(word) || (known.length > 4 && word.startsWith(known)))
    .flatMap((known) => WORDS.words[known].map(([page, weight]) => [page, weight / 2]));
};

Search.performTermsSearch = (searchTerms) => {
  const scores = new Map();
  for (const word of searchTerms) {
    const best = new Map();
    for (const [page, weight] of weightsOf(word))
      best.set(page, Math.max(weight, best.get(page) || 0));
    const rarity = Math.log(1 + WORDS.pages.length / (best.size + 1));
    for (const [page, weight] of best)
      scores.set(page, (scores.get(page) || 0) + (10 * rarity * weight) / (weight + 4));
  }
  const { docnames, filenames, titles } = Search._index;
  return [...scores].map(([number, score]) => {
    const page = docnames.indexOf(WORDS.pages[number]);
    const described = DESCRIPTIONS[docnames[page]];
    return [
      docnames[page], titles[page], "", described, score, filenames[page], SearchResultKind.text,
    ];
  });
};
