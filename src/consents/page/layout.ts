import html from 'html-template-tag';
import type { Page } from '../../runtime/index.js';
import type { Bilingual, Language } from '../rules.js';
import { STYLE } from './style.js';
import { WORDS } from './words.js';

/**
 * How a page is put together. The tag escapes what stands in `${…}`, in text and within quotes; our own finished pieces stand in
 * `$${…}`. (It escapes no list, so none is handed to it, and it empties addresses, which are ours alone.)
 */
export type Piece = string & { readonly __piece: true };

export function piece(strings: TemplateStringsArray, ...values: (string | number)[]): Piece {
  return html(strings, ...values.map(String)) as Piece;
}

export function joined(pieces: readonly Piece[]): Piece {
  return pieces.join('') as Piece;
}

export const NOTHING = '' as Piece;

const COIN = `<svg viewBox="0 0 28 28" aria-hidden="true" focusable="false"><circle cx="14" cy="14" r="12.5" fill="none" stroke="currentColor" stroke-width="2.4"/><path d="M10 10h8v8h-8z" fill="currentColor"/></svg>`;

export interface Layout {
  readonly language: Language;
  readonly title: string;
  /** Where the same page is in the other language; relative. Absent where there is no page to turn to. */
  readonly otherLanguage?: string;
  readonly content: Piece;
}

export function layout({ language, title, otherLanguage, content }: Layout): Page {
  const say = (text: Bilingual) => text[language];
  const other = language === 'zh' ? 'en' : 'zh-CN';
  const turn =
    otherLanguage === undefined
      ? NOTHING
      : piece`<a class="lang" lang="${other}" hreflang="${other}" href="$${otherLanguage}">${say(WORDS.otherLanguage)}</a>`;
  const text = piece`<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="format-detection" content="telephone=no">
<title>${title} · ${say(WORDS.bank)}</title>
<style>$${STYLE}</style>
</head>
<body>
<main>
<header class="top">$${COIN}<span class="name">${say(WORDS.bank)}</span><span class="tag">${say(WORDS.tagline)}</span>$${turn}</header>
$${content}
</main>
</body>
</html>
`;
  return { text, style: STYLE };
}

/** `en` where the reader prefers it to Chinese; Chinese for everybody else. */
export function languageOf(query: Language | undefined, acceptLanguage: string | undefined): Language {
  if (query !== undefined) return query;
  let best: { language: Language; weight: number } = { language: 'zh', weight: 0 };
  for (const part of (acceptLanguage ?? '').split(',')) {
    const match = /^\s*(zh|en)\b[^;]*(?:;\s*q=([01](?:\.\d{1,3})?))?\s*$/i.exec(part);
    if (match === null) continue;
    const weight = match[2] === undefined ? 1 : Number(match[2]);
    if (weight > best.weight) best = { language: (match[1] as string).toLowerCase() as Language, weight };
  }
  return best.language;
}
