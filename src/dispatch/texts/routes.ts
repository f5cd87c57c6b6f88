import { z } from 'zod';
import { type Id, naturalDate, toWire } from '../../kernel/index.js';
import { type Route, type Runtime, route, textSchema } from '../../runtime/index.js';
import { isTemplate, renderText, TEMPLATE_MAX, TEXT_PURPOSES, type TextPurpose } from './rules.js';
import { loadTexts, setText } from './store.js';

const platform = { audience: 'platform', tag: 'Payouts', path: '/v1/payout-texts' } as const;

const templateSchema = textSchema(TEMPLATE_MAX)
  .refine(isTemplate, { error: 'must hold no braces but {platform}, {purpose}, {date} and {order}' })
  .meta({
    description: 'With {platform}, {purpose}, {date} (of the payout) and {order} (of a refund)',
    example: '{platform}{purpose} {order}',
  });
const textsSchema = z
  .strictObject({
    items: z.array(
      z.strictObject({
        purpose: z.enum(TEXT_PURPOSES),
        template: z.string().nullable().meta({ description: "null: the purpose's own name" }),
        example: z.string().meta({ description: 'What a payee of today would read' }),
      }),
    ),
  })
  .meta({ id: 'PayoutTexts', description: 'What payees read on their statements 附言' });

/** What the payees of a platform read, in its own words, the same on every channel. */
export function textRoutes(rt: Runtime): Route[] {
  const shown = { 200: { description: 'One item a purpose', schema: textsSchema } };
  const description =
    'At most 60 bytes of GBK reach the payee; what is longer is cut, and what GBK has not becomes a question mark. A payout keeps the text ' +
    'with which it was first sent.';
  return [
    route({
      ...platform,
      method: 'GET',
      summary: 'What payees read, by the purpose of the payout',
      summaryZh: '查询出款附言模板',
      description,
      answers: shown,
      handle: async ({ caller }) => ({ status: 200, body: await show(rt, caller.platformId) }),
    }),
    route({
      ...platform,
      method: 'PUT',
      summary: 'Sets what payees read, for the purposes that are named',
      summaryZh: '设置出款附言模板',
      description,
      body: z.strictObject({ texts: z.partialRecord(z.enum(TEXT_PURPOSES), templateSchema.nullable()) }),
      answers: shown,
      handle: async ({ caller: { platformId, keyId }, body: { texts } }) => {
        const set = { by: keyId, atMs: rt.clock.now() };
        await rt.db.withTx(
          'set-texts',
          async (tx) => {
            for (const [purpose, template] of Object.entries(texts) as [TextPurpose, string | null][])
              await setText(tx, { platformId, purpose, template }, set);
            return true;
          },
          async () => undefined, // the same once more
        );
        return { status: 200, body: await show(rt, platformId) };
      },
    }),
  ];
}

async function show({ db, clock }: Pick<Runtime, 'db' | 'clock'>, platformId: Id): Promise<z.input<typeof textsSchema>> {
  const texts = (await db.read('texts', (tx) => loadTexts(tx, [platformId]))).get(platformId);
  const parts = {
    orderNo: null,
    businessDate: naturalDate(clock.now()),
    platform: texts?.name ?? toWire('platform', platformId),
  };
  const items = TEXT_PURPOSES.map((purpose) => {
    const template = texts?.templates.get(purpose) ?? null;
    const orderNo = purpose === 'refund' ? 'R-20260302-1' : null;
    return { purpose, template, example: renderText(template ?? undefined, { ...parts, purpose, orderNo }) };
  });
  return { items };
}
