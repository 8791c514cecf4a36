// Shows what is being typed into the password fields of a form.
for (const box of document.querySelectorAll("[data-shows]")) {
  box.addEventListener("change", () => {
    for (const field of box.form.querySelectorAll("[name=old], [name=new], [name=again], [name=password]")) {
      field.type = box.checked ? "text" : "password";
    }
  });
}
