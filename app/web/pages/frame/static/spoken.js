// The phrases that scripts write, in the language of the page: the server delivers them with it.

const PHRASES = JSON.parse(document.body.dataset.words);

export const say = (name, values = {}) => PHRASES[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
