// Passkeys: hands the server's question to the browser and its answer back, in an ordinary form.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const withBytes = (credential) => ({ ...credential, id: bytes(credential.id) });

// What PublicKeyCredential.parse…FromJSON does; browsers of the last years lack it.
function question(kind, options) {
  const asked = { ...options, challenge: bytes(options.challenge) };
  if (kind === "create") {
    asked.user = withBytes(options.user);
    asked.excludeCredentials = (options.excludeCredentials || []).map(withBytes);
  } else {
    asked.allowCredentials = (options.allowCredentials || []).map(withBytes);
  }
  return { publicKey: asked };
}

function answer(credential) {
  const given = credential.response;
  const response = { clientDataJSON: text(given.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (given[name]) response[name] = text(given[name]);
  }
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {},
  });
}

for (const form of document.querySelectorAll("form.passkey")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const complaint = form.querySelector(".complaint");
    complaint.hidden = true;
    try {
      const kind = form.dataset.kind;
      const credential = await navigator.credentials[kind](question(kind, JSON.parse(form.dataset.options)));
      form.elements.answer.value = answer(credential);
      form.submit();
    } catch (error) {
      complaint.textContent =
        error.name === "InvalidStateError" ? form.dataset.there : form.dataset.none;
      complaint.hidden = false;
    }
  });
}
