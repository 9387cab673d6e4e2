/* global SwaggerUIBundle */
SwaggerUIBundle({
  url: "/openapi.json",
  domNode: document.getElementById("reference"),
  deepLinking: true,
  // Otherwise it sends the address of the document to a service outside.
  validatorUrl: null,
});
