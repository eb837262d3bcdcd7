// The phrases that scripts write, in the language of the page: the server delivers them with it.

const PHRASES = JSON.parse(document.body.dataset.words);

// The title of a problem in the language of the page, by its type; undefined for one without.
export const titleOf = (type) => PHRASES[type];

export const say = (name, values = {}) => PHRASES[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
