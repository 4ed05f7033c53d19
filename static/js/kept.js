/**
 * The page of a kept result: puts the viewer in the place of the two pictures. Where anything
 * fails, the page stays as the server wrote it, which is whole.
 */

import { Result, fetchResult } from "./result.js";

const kept = document.getElementById("kept");
const answer = await fetch(kept.dataset.api).then((response) => response.json());
const ready = await fetchResult(answer);
const result = new Result({ forgotten: () => location.assign("/") });
kept.hidden = true;
result.show(ready, "photo.jpg");
document.body.dataset.viewer = "ready";
document.addEventListener("keydown", (event) => event.key === "Escape" && result.unpick());
