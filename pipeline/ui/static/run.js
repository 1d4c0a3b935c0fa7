// Fills the run's page with the parts that need the metadata store.
"use strict";
const place = document.getElementById("parts");
fetch(place.dataset.address)
  .then(async (answer) => {
    const text = await answer.text();
    if (!answer.ok) throw new Error(new DOMParser().parseFromString(text, "text/html").querySelector(".lead")?.textContent ?? answer.statusText);
    place.innerHTML = text; // made and escaped by this server
  })
  .catch((error) => {
    place.replaceChildren(Object.assign(document.createElement("p"), { className: "missing", textContent: error.message }));
  });
