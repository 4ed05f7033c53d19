/** What the chosen effect can be told: its group of fields is shown, and it alone is sent. */

/** Let the groups of `form` follow its field `effect`. */
export function followEffect(form) {
  const details = form.querySelector(".tuning");
  const follow = () => {
    const effect = form.elements.effect.value;
    const groups = [...details.querySelectorAll("[data-effect]")];
    for (const group of groups) group.hidden = group.disabled = group.dataset.effect !== effect;
    details.querySelector("[data-several]").hidden = effect !== "all";
  };
  form.elements.effect.addEventListener("change", follow);
  form.addEventListener("reset", () => setTimeout(follow)); // the fields are reset after the event
  details.addEventListener("invalid", () => (details.open = true), true); // else nobody sees what is wrong
  follow();
}
