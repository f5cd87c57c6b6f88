import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Page } from './route.js';

const hashes = new Map<string, string>();

function hashOf(style: string): string {
  const known = hashes.get(style) ?? `'sha256-${createHash('sha256').update(style).digest('base64')}'`;
  hashes.set(style, known);
  return known;
}

/**
 * Writes a page that nobody keeps, frames or learns the address of, that runs no script and loads nothing, and whose forms go nowhere
 * but here.
 */
export function sendPage(
  response: ServerResponse,
  status: number,
  { text, style }: Page,
  headers: Readonly<Record<string, string>> = {},
): void {
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Security-Policy', policy.join('; '));
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('X-Robots-Tag', 'noindex, nofollow');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(text);
}
