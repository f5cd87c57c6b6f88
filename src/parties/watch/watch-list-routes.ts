import type { z } from 'zod';
import { Refused, refuse, toRfc3339, toWire } from '../../kernel/index.js';
import { ONE_PLACE, type Route, type Runtime, readJson, route, shape, shapeInvalid, type Tx } from '../../runtime/index.js';
import { staff } from '../users/admin-wire.js';
import { readCsv } from './csv.js';
import { type ListedParty, loadWatchList } from './watch-list.js';
import { latestWatchList } from './watch-records.js';
import { LISTED_MAX, listedParty, watchListBody, watchListSchema } from './wire.js';

/** The watch list as staff reads and replaces it. */
export function watchListRoutes(rt: Runtime): Route[] {
  return [readListRoute(rt), loadListRoute(rt)];
}

const LIST_BYTES = 16 * 1024 * 1024;

function loadListRoute(rt: Runtime): Route {
  return route({
    ...staff,
    method: 'PUT',
    path: '/admin/v1/watch-list',
    permission: 'customers.write',
    confidential: true,
    summary: 'Puts a watch list in the place of the one before; every customer is then held against it',
    summaryZh: '更新名单',
    description: 'JSON, or CSV with the columns list, name, idType, idNo, the empty ones empty.',
    body: 'raw',
    rawBody: { schema: watchListBody, mediaTypes: ['application/json', 'text/csv'] },
    bodyLimit: LIST_BYTES,
    answers: { 200: { description: 'Loaded', schema: watchListSchema } },
    handle: async ({ text, headers, caller, tx }) => {
      const entries = headers['content-type']?.toLowerCase().startsWith('text/csv') ? entriesOfCsv(text) : entriesOfJson(text);
      const { listNo } = await loadWatchList(tx, rt, entries, caller.operatorId);
      return {
        status: 200,
        body: await showWatchList(tx),
        audit: { target: `watch list ${listNo}`, note: `${entries.length} entries` },
        afterCommit: () => rt.bells.ring('screen-customers', ONE_PLACE),
      };
    },
  });
}

function entriesOfJson(text: string): ListedParty[] {
  const { value, faults } = readJson(text);
  const shaped = shape(watchListBody, value, 'body');
  if (shaped.faults !== undefined || faults.length > 0) throw shapeInvalid([...faults, ...(shaped.faults ?? [])]);
  return shaped.value.entries;
}

const COLUMNS = ['list', 'name', 'idType', 'idNo'];

function entriesOfCsv(text: string): ListedParty[] {
  const [head, ...lines] = readCsv(text) ?? [];
  if (head === undefined || head.join() !== COLUMNS.join())
    throw new Refused(refuse('BODY_MALFORMED', `The first line is ${COLUMNS.join()}.`));
  if (lines.length > LISTED_MAX)
    throw shapeInvalid([{ in: 'body', pointer: '', detail: `must hold at most ${LISTED_MAX} entries` }]);
  const shaped = lines.map((line, index) => {
    const fields = line.flatMap((value, column) => (value === '' ? [] : [[COLUMNS[column] ?? `column ${column + 1}`, value]]));
    return shape(listedParty, Object.fromEntries(fields), 'body', `/${index + 1}`);
  });
  const faults = shaped.flatMap((line) => line.faults ?? []).slice(0, 50);
  if (faults.length > 0) throw shapeInvalid(faults);
  return shaped.flatMap((line) => (line.faults === undefined ? [line.value] : []));
}

async function showWatchList(tx: Tx): Promise<z.output<typeof watchListSchema>> {
  const latest = await latestWatchList(tx);
  if (latest === undefined) return { listNo: 0, entries: 0, digest: null, loadedBy: null, loadedAt: null };
  return {
    listNo: Number(latest.listNo),
    entries: latest.entries,
    digest: latest.digest.toString('hex'),
    loadedBy: toWire('operator', latest.loadedBy),
    loadedAt: toRfc3339(latest.loadedMs),
  };
}

function readListRoute({ db }: Runtime): Route {
  return route({
    ...staff,
    method: 'GET',
    path: '/admin/v1/watch-list',
    permission: 'customers.read',
    summary: 'Which watch list holds now',
    summaryZh: '当前名单信息',
    answers: { 200: { description: 'The last that was loaded', schema: watchListSchema } },
    handle: async () => ({ status: 200, body: await db.read('watch list', showWatchList) }),
  });
}
