import { z } from 'zod';
import {
  fromWire,
  ID_PREFIXES,
  type Id,
  type IdKind,
  type Instant,
  parseBusinessDate,
  parseInstant,
  toRfc3339,
  toWire,
  WIRE_MAX,
  wirePattern,
} from '../kernel/index.js';

/**
 * The field types of the API, each defined once. All of them parse the wire form into the form that the code uses.
 * That a number's text is an integer is checked when the text is read (`parseJson`): JSON.parse would hide it.
 */

/** Minor units: a JSON integer of 1 to 2^53−1; a bigint in code. */
export const amountSchema = z
  .int({ error: 'must be a JSON integer of minor units' })
  .min(1, { error: 'must be at least 1' })
  .max(Number(WIRE_MAX), { error: 'must be at most 2^53−1' })
  .transform((amount) => BigInt(amount))
  .meta({ id: 'Amount', description: 'Minor units (fen), an integer of 1 to 2^53−1', example: 12345 });

export const currencySchema = z.literal('CNY').meta({ description: 'ISO 4217' });

export const moneySchema = z
  .strictObject({ amount: amountSchema, currency: currencySchema })
  .meta({ id: 'Money', description: 'An amount in minor units and its currency' });

/** The same in an answer, where it may be nothing and below zero; see `toWireMoney`. */
export const shownMoneySchema = z.strictObject({ amount: z.int(), currency: z.literal('CNY') });

function makeWireId(kind: IdKind) {
  const example = `${ID_PREFIXES[kind]}_2236512894231552003`;
  return z
    .string()
    .regex(wirePattern(kind), { error: `must be an id like ${example}` })
    .transform(fromWire)
    .meta({ description: `Id of this ${kind}`, example });
}

const wireIds = new Map<IdKind, ReturnType<typeof makeWireId>>();

/** `acc_…` and the like; the bare id in code. */
export function wireId(kind: IdKind): ReturnType<typeof makeWireId> {
  const known = wireIds.get(kind) ?? makeWireId(kind);
  wireIds.set(kind, known);
  return known;
}

function number(what: string) {
  return z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,64}$/, { error: 'must be 1 to 64 of A–Z a–z 0–9 _ . : -' })
    .meta({ description: what });
}
export const requestNo = number('The number that the caller gave the request; remembered for ever');
export const orderNo = number("The platform's own number of the order");
export const merchantNo = number("The platform's own number of the sub-merchant");
export const userNo = number("The platform's own number of the user");

export const businessDateSchema = z
  .string()
  .transform((text, context) => {
    const date = parseBusinessDate(text);
    if (date !== undefined) return date;
    context.addIssue({ code: 'custom', message: 'must be a date like 2026-03-02' });
    return z.NEVER;
  })
  .meta({ description: 'A business date', format: 'date', example: '2026-03-02' });

export const instantSchema = z
  .string()
  .transform((text, context) => {
    const instant = parseInstant(text);
    if (instant !== undefined) return instant;
    context.addIssue({ code: 'custom', message: 'must be RFC 3339 with an offset, like 2026-03-02T09:30:00+08:00' });
    return z.NEVER;
  })
  .meta({ description: 'RFC 3339 with an offset', format: 'date-time', example: '2026-03-02T09:30:00+08:00' });

export const bankCodeSchema = z
  .string()
  .regex(/^([0-9]{12})?$/, { error: 'must be a 12-digit bank code, or empty for the custodian itself' })
  .meta({ description: 'CNAPS code of the bank; empty for the custodian itself', example: '102100099996' });

/** For answers. */
export const rfc3339Schema = z.string().meta({ description: 'RFC 3339', format: 'date-time', example: toRfc3339(0 as Instant) });

/** A question that was put to a customer. The address of its page is known only where it was just made. */
export interface Asked {
  readonly consent: Id;
  readonly url?: string | undefined;
  /** The first moment at which it is too late to answer. */
  readonly expiresMs: Instant;
}

/** The same for answers: one form wherever a customer is asked. */
export const askedSchema = z
  .strictObject({
    id: z.string().meta({ example: 'cns_2236512894231552003' }),
    url: z.string().optional().meta({
      description: "The page to which the customer's browser is sent; told once. Ask for another when it is lost",
      example: 'https://bank.example/consents/Zm9y…',
    }),
    expiresAt: rfc3339Schema,
  })
  .meta({ id: 'AskedConsent', description: 'The question that was put to the customer, while he has not answered' });

export function showAsked({ consent, url, expiresMs }: Asked): z.input<typeof askedSchema> {
  return { id: toWire('consent', consent), ...(url === undefined ? {} : { url }), expiresAt: toRfc3339(expiresMs) };
}

/** Text for people: no control characters, no blanks at the ends. */
export function textSchema(max: number) {
  return z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, { error: 'must not hold control characters' })
    .refine((text) => text === text.trim(), { error: 'must not begin or end with a blank' });
}
