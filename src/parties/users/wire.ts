import { z } from 'zod';
import { maskIdNo, maskMobile, maskName, REFUSALS, toRfc3339, toWire } from '../../kernel/index.js';
import { businessDateSchema, rfc3339Schema, userNo } from '../../runtime/index.js';
import { shownState } from '../states.js';
import { idNoSchema, mobileSchema, plainText } from '../wire.js';
import { type IdentifiedPerson, type LooseParticulars, type Particulars, PERSON_ID_TYPES } from './particulars.js';
import type { User } from './records.js';

/** What the routes of users take and answer. */
const NAME_MAX = 128;

// Names are written in Han characters or in the Latin of a passport's machine-readable zone; no format character can hide in one.
const personName = z
  .string()
  .min(1)
  .max(NAME_MAX)
  .regex(/^[\p{Script=Han}\p{Script=Latin}\p{M}·•.'’\- ]+$/u, { error: 'must be a name in Han or Latin letters' })
  .refine((text) => text === text.trim(), { error: 'must not begin or end with a blank' });

export const companyName = z
  .string()
  .min(1)
  .max(NAME_MAX)
  .regex(/^[\p{Script=Han}\p{Script=Latin}\p{M}0-9·•.,'’&（）()＆、\- ]+$/u, {
    error: 'must be a name in Han or Latin letters and digits',
  })
  .refine((text) => text === text.trim(), { error: 'must not begin or end with a blank' });

export const idExpires = businessDateSchema
  .nullable()
  .meta({ description: 'Last valid day of the document; null: for long (长期)', example: '2036-03-02' });

const identified = {
  name: personName,
  idType: z.enum(PERSON_ID_TYPES),
  idNo: idNoSchema.meta({ example: '11010519491231002X' }),
  birthDate: businessDateSchema.optional().meta({ description: 'Needed where the number does not carry it' }),
  idExpires,
};

const personParty = z.strictObject({
  kind: z.literal('person'),
  ...identified,
  mobile: mobileSchema,
  address: plainText(200).optional(),
  occupation: plainText(64).optional(),
});

const companyParty = z.strictObject({
  kind: z.literal('company'),
  name: companyName,
  idNo: idNoSchema.meta({ description: 'Unified social credit code (GB 32100)', example: '91350100M000100Y43' }),
  idExpires: idExpires.meta({ description: 'Last day of the licence; null: for long' }),
  address: plainText(200).optional(),
  representative: z.strictObject(identified).meta({ description: 'Legal representative (法定代表人)' }),
  operator: z
    .strictObject({ ...identified, mobile: mobileSchema })
    .meta({ description: 'Who acts for it towards the bank (经办人)' }),
  owners: z
    .array(
      z.strictObject({
        ...identified,
        share: z.int().min(1).max(10_000).meta({ description: 'Of the company, in basis points: 2500 is a quarter' }),
      }),
    )
    .max(4)
    .meta({ description: 'Beneficial owners (受益所有人): whoever holds a quarter or more' }),
});

export const userRequest = z
  .strictObject({ userNo, party: z.discriminatedUnion('kind', [personParty, companyParty]).meta({ id: 'UserParty' }) })
  .meta({ id: 'NewUser' });

/** As much of a faulty party as can be read: each field for itself. Undefined where not even its kind can. */
export function looseParty(value: unknown): LooseParticulars | undefined {
  const kind = (value as { kind?: unknown } | null | undefined)?.kind;
  if (kind !== 'person' && kind !== 'company') return undefined;
  return looseOf(kind === 'person' ? personParty : companyParty, value) as unknown as LooseParticulars;
}

function looseOf(schema: z.ZodObject, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return {};
  const found: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(schema.shape)) {
    const given = (value as Record<string, unknown>)[key];
    const parsed = (field as z.ZodType).safeParse(given);
    if (parsed.success) found[key] = parsed.data;
    else if (field instanceof z.ZodObject) found[key] = looseOf(field, given);
    else if (field instanceof z.ZodArray && Array.isArray(given) && field.element instanceof z.ZodObject) {
      const { element } = field;
      found[key] = given.slice(0, 10).map((each) => looseOf(element, each));
    }
  }
  return found;
}

const maskedPerson = {
  name: z.string().meta({ example: '王**' }),
  idType: z.enum(PERSON_ID_TYPES),
  idNo: z.string().meta({ example: '110*************2X' }),
  idExpires: z.string().nullable(),
};

/** For answers: names and numbers masked. */
export const maskedUserParty = z
  .strictObject({
    kind: z.enum(['person', 'company']),
    name: z.string().meta({ description: "A company's whole; a person's masked" }),
    idType: z.enum([...PERSON_ID_TYPES, 'uscc']),
    idNo: z.string().meta({ example: '110*************2X' }),
    idExpires: z.string().nullable(),
    mobile: z.string().meta({ example: '138****0000' }),
    representative: z.strictObject(maskedPerson).optional(),
    operator: z.strictObject(maskedPerson).optional(),
    owners: z.array(z.strictObject({ ...maskedPerson, share: z.int() })).optional(),
  })
  .meta({ id: 'MaskedUserParty', description: 'A person or company, masked' });

function maskedIdentity({ name, idType, idNo: number, idExpires: until }: IdentifiedPerson) {
  return { name: maskName(name), idType, idNo: maskIdNo(number), idExpires: until };
}

export function maskedUser(party: Particulars): z.output<typeof maskedUserParty> {
  if (party.kind === 'person') return { kind: 'person', ...maskedIdentity(party), mobile: maskMobile(party.mobile) };
  return {
    kind: 'company',
    name: party.name,
    idType: 'uscc',
    idNo: maskIdNo(party.idNo),
    idExpires: party.idExpires,
    mobile: maskMobile(party.operator.mobile),
    representative: maskedIdentity(party.representative),
    operator: maskedIdentity(party.operator),
    owners: party.owners.map((owner) => ({ ...maskedIdentity(owner), share: owner.share })),
  };
}

export const refusalSchema = z
  .strictObject({ code: z.string(), title: z.string(), zh: z.string(), who: z.string().optional() })
  .meta({ id: 'UserRefusal' });

type ShownRefusal = z.output<typeof refusalSchema>;

export function showRefusal(refusal: User['refusal']): ShownRefusal | null {
  if (refusal === null) return null;
  const { en, zh } = REFUSALS[refusal.code];
  const who = refusal.fields?.who;
  return { code: refusal.code, title: en, zh, ...(typeof who === 'string' ? { who } : {}) };
}

export const userSchema = z
  .strictObject({
    id: z.string().meta({ example: 'usr_2236512894231552003' }),
    userNo: z.string(),
    state: z.enum(['pending', 'to-activate', 'verified', 'refused']).meta({
      description: 'pending: the identity is being verified; to-activate: taken over, the customer has to activate it',
    }),
    refusal: refusalSchema.nullable(),
    party: maskedUserParty,
    registeredAt: rfc3339Schema,
  })
  .meta({ id: 'User' });

export function showUser(user: User, party: Particulars): z.output<typeof userSchema> {
  return {
    id: toWire('user', user.id),
    userNo: user.userNo,
    state: shownState(user.state),
    refusal: showRefusal(user.refusal),
    party: maskedUser(party),
    registeredAt: toRfc3339(user.createdMs),
  };
}

export const dryRunSchema = z
  .strictObject({
    acceptable: z.boolean().meta({ description: 'Whether it would be registered; whether the identity is right is seen later' }),
    faults: z.array(z.strictObject({ code: z.string(), pointer: z.string(), detail: z.string() })),
  })
  .meta({ id: 'UserDryRun' });
