// The page of a one-time link: puts the secret of the fragment into the form, and takes it out of the address.

const form = document.querySelector("#link-form");
const secret = location.hash.slice(1);
if (form && secret) {
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.link.value = secret;
  form.hidden = false;
  document.querySelector("#link-missing").hidden = true;
  form.querySelector("button").focus();
}
