import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Express, Response } from 'express';
import type { OpenApiDocument } from './openapi.js';

/** Swagger UI from the installed package: nothing is loaded from another machine. */
const ASSETS = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

const PAGE = `<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cunguan · 存管</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, docExpansion: 'none', validatorUrl: null });\n`;

// Swagger UI sets inline styles and draws its icons from data URLs; scripts come from here alone.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export function mountDocs(app: Express, document: OpenApiDocument): void {
  const json = JSON.stringify(document);
  const page = (response: Response, type: string, text: string) => {
    response.setHeader('Content-Security-Policy', POLICY);
    response.type(type).end(text);
  };
  app.get('/openapi.json', (_request, response) => void response.type('application/json').end(json));
  app.get('/docs', (_request, response) => page(response, 'text/html; charset=utf-8', PAGE));
  app.get('/docs/start.js', (_request, response) => page(response, 'text/javascript; charset=utf-8', START));
  for (const file of FILES)
    app.get(`/docs/${file}`, (_request, response) => response.sendFile(join(ASSETS, file), { maxAge: '1h' }));
}
