import { z } from 'zod';
import type { Answer, RouteRequest } from '../../runtime/index.js';
import type { Language } from '../rules.js';
import { refusalPage } from './consent-page.js';
import { languageOf } from './layout.js';
import type { Notice } from './words.js';

/** What all pages that the bank hosts have in common: an address with a token, forms that lead back to it, a page for a refusal. */

const LANGUAGES = ['zh', 'en'] as const;
const Params = z.strictObject({ token: z.string().meta({ description: 'From the address that the bank made' }) });
export const Query = z.strictObject({
  lang: z.enum(LANGUAGES).optional().meta({ description: "Instead of the browser's Accept-Language" }),
  notice: z.string().max(32).optional().meta({ description: 'What came of the last form' }),
});
export const FormQuery = Query.pick({ lang: true });
export const FORM_BYTES = 4096;

export const hosted = {
  audience: 'public',
  tag: 'Hosted pages',
  params: Params,
  refusalPage: (
    refusal: Parameters<typeof refusalPage>[0],
    { headers }: { headers: RouteRequest<'public', 0, 0, 0>['headers'] },
  ) => refusalPage(refusal, languageOf(undefined, headers['accept-language'])),
  refusals: ['NOT_FOUND', 'SHAPE_INVALID', 'FAULT'],
} as const;

/** Relative, so that it holds behind whatever address the bank gives these pages. */
export function redirect(up: string, token: string, language: Language, notice: Notice | undefined): Answer {
  const query = new URLSearchParams({ lang: language, ...(notice === undefined ? {} : { notice }) });
  return { status: 303, headers: { Location: `${up}${encodeURIComponent(token)}?${query}` } };
}

/** A field that comes twice becomes a list, which the schema refuses. */
export function fieldsOf(text: string): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return { ...fields };
}
