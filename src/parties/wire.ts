import { z } from 'zod';
import { checkMobile } from '../kernel/index.js';
import { textSchema } from '../runtime/index.js';

const NAME_MAX = 128;

export const mobileSchema = z
  .string()
  .refine((text) => checkMobile(text).ok, { error: 'must be a mobile number of the mainland, 11 digits' })
  .meta({ description: 'Mobile number without country code', example: '13800000000' });

// Whether the number is right is our rule, with codes of its own; the shape only keeps out what is no number at all.
export const idNoSchema = z
  .string()
  .regex(/^[0-9A-Za-z]{1,32}$/, { error: 'must be 1 to 32 letters and digits' })
  .transform((text) => text.toUpperCase());

/** Text for people in which no mark changes the direction or hides, and none opens a tag. */
export function plainText(max: number) {
  return textSchema(max).regex(/^[^\p{Cf}\p{Co}\p{Cn}<>]*$/u, { error: 'must not hold marks of format, or < and >' });
}

const companySchema = z.strictObject({
  kind: z.literal('company'),
  name: plainText(NAME_MAX),
  idNo: idNoSchema.meta({ description: 'Unified social credit code (GB 32100)', example: '91350100M000100Y43' }),
  legalRepresentative: plainText(NAME_MAX).optional(),
  mobile: mobileSchema.optional(),
});

const personSchema = z.strictObject({
  kind: z.literal('person'),
  name: plainText(NAME_MAX),
  idNo: idNoSchema.meta({ description: 'Resident identity number (GB 11643)', example: '11010519491231002X' }),
  mobile: mobileSchema.optional(),
});

export const partySchema = z
  .discriminatedUnion('kind', [companySchema, personSchema])
  .meta({ id: 'Party', description: 'A company or a person' });

/** For answers: numbers are masked. */
export const maskedPartySchema = z
  .strictObject({
    kind: z.enum(['company', 'person']),
    name: z.string(),
    idType: z.enum(['uscc', 'resident-id']),
    idNo: z.string().meta({ example: '110*************2X' }),
    legalRepresentative: z.string().optional(),
    mobile: z.string().optional().meta({ example: '138****0000' }),
  })
  .meta({ id: 'MaskedParty', description: 'A company or a person, numbers masked' });
