import { z } from 'zod';
import { CHANNELS } from '../../channels/index.js';
import { Refused, refuse, toRfc3339 } from '../../kernel/index.js';
import {
  decodeCursor,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
} from '../../runtime/index.js';
import { findUnread, type ListedMessage, listUnread } from './unread-store.js';

const LIST = 'unread-messages';
const listed = {
  channel: z.enum(CHANNELS),
  place: z.string().meta({ description: 'Where it lay in the channel’s feed' }),
  reason: z.string().meta({ description: 'Why it could not be read' }),
  keptAt: rfc3339Schema,
};
const listedSchema = z.strictObject(listed).meta({
  id: 'UnreadMessage',
  description: 'A message of a channel that could not be read and was stepped over 无法解析的报文',
});
const wholeSchema = z
  .strictObject({ ...listed, text: z.string().meta({ description: 'The message as it came' }) })
  .meta({ id: 'UnreadMessageText' });
const Params = z.strictObject({ channel: z.enum(CHANNELS), place: z.string().regex(/^[A-Za-z0-9.:-]{1,40}$/) });

function show({ channel, place, reason, keptMs }: ListedMessage): z.input<typeof listedSchema> {
  return { channel, place, reason, keptAt: toRfc3339(keptMs) };
}

/** Messages that nobody could read: each wants a person, who may see the people in it. */
export function unreadRoutes({ db, vault }: Runtime): Route[] {
  return [
    route({
      audience: 'operator',
      tag: 'Payouts',
      method: 'GET',
      path: '/admin/v1/unread-messages',
      permission: 'payouts.read',
      summary: 'Messages of channels that could not be read, and why',
      summaryZh: '无法解析的报文列表',
      query: z.strictObject({ channel: z.enum(CHANNELS).optional(), ...pageQuery }),
      answers: { 200: { description: 'A page, by channel and place', schema: pageSchema(listedSchema) } },
      refusals: ['CURSOR_INVALID'],
      handle: async ({ query }) => {
        const [channel = '', place = ''] = query.cursor === undefined ? [] : decodeCursor(LIST, 2, query.cursor).map(String);
        const wanted = { channel: query.channel, after: [channel, place] as const };
        const rows = await db.read('unread-messages', (tx) => listUnread(tx, wanted, query.limit + 1));
        return { status: 200, body: page(LIST, rows, query.limit, (row) => [row.channel, row.place], show) };
      },
    }),
    route({
      audience: 'operator',
      tag: 'Payouts',
      method: 'GET',
      path: '/admin/v1/unread-messages/{channel}/{place}',
      permission: 'customers.read',
      audited: true,
      summary: 'A message of a channel that could not be read, as it came; who looked at it is in the audit trail',
      summaryZh: '无法解析的报文原文',
      params: Params,
      answers: { 200: { description: 'The message', schema: wholeSchema } },
      refusals: ['NOT_FOUND'],
      handle: async ({ params: { channel, place } }) => {
        const found = await db.read('unread-message', (tx) => findUnread(tx, channel, place));
        if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
        const audit = { target: `message ${channel} ${place}` };
        return { status: 200, body: { ...show(found), text: vault.open(found.textSealed) }, audit };
      },
    }),
  ];
}
