import { z } from 'zod';
import { maskCardNumber, maskName, toRfc3339, toWire, toWireMoney } from '../../kernel/index.js';
import {
  decodeCursor,
  ONE_PLACE,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  shownMoneySchema,
  textSchema,
  type Vault,
  wireId,
} from '../../runtime/index.js';
import { TRANSFER_PROPOSAL_STATES } from './proposal-store.js';
import { approve, propose, reject, requireTransfer, type Seen } from './proposals.js';
import { type ListedTransfer, listTransfers, TRANSFER_DECISIONS, TRANSFER_STATES } from './store.js';

const LIST = 'incoming-transfers';
const state = z.enum(TRANSFER_STATES);
const transferSchema = z
  .strictObject({
    reference: z.string(),
    platform: z.string().nullable(),
    account: z.string().nullable().meta({ description: 'Where it goes; null: the number is nobody’s' }),
    virtualNo: z.string(),
    amount: shownMoneySchema,
    payer: z.strictObject({ name: z.string(), account: z.string(), bankCode: z.string() }),
    message: z.strictObject({ channel: z.string(), sender: z.string(), messageNo: z.string() }),
    state: state.meta({
      description:
        'duplicate: its message came before; conflict: it came before and said something else; neither of them acts before two people have decided',
    }),
    decision: z.enum(TRANSFER_DECISIONS).nullable().meta({ description: 'What two people decided of it' }),
    reason: z.string().nullable(),
    receivedAt: rfc3339Schema,
  })
  .meta({ id: 'IncomingTransfer', description: 'A transfer to a virtual account number 来账' });

function show(vault: Vault, of: ListedTransfer): z.input<typeof transferSchema> {
  const payer = JSON.parse(vault.open(of.payerSealed)) as z.output<typeof transferSchema>['payer'];
  return {
    reference: of.reference,
    platform: of.to === null ? null : toWire('platform', of.to.platformId),
    account: of.to === null ? null : toWire('account', of.to.accountId),
    virtualNo: of.virtualNo,
    amount: toWireMoney(of.amount),
    payer: { name: maskName(payer.name), account: maskCardNumber(payer.account), bankCode: payer.bankCode },
    message: of.message,
    state: of.state,
    decision: of.decision,
    reason: of.reason,
    receivedAt: toRfc3339(of.receivedMs),
  };
}

const proposalSchema = z
  .strictObject({
    id: z.string(),
    action: z.enum(TRANSFER_DECISIONS),
    reason: z.string(),
    state: z.enum(TRANSFER_PROPOSAL_STATES),
    proposedBy: z.string(),
    proposedAt: rfc3339Schema,
    decidedBy: z.string().nullable(),
    decidedAt: rfc3339Schema.nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: 'TransferProposal' });
const seenSchema = z
  .strictObject({ ...transferSchema.shape, proposals: z.array(proposalSchema) })
  .meta({ id: 'IncomingTransferSeen', description: 'A transfer, and what was proposed about it' });

function showSeen(vault: Vault, { transfer, proposals }: Seen): z.input<typeof seenSchema> {
  return {
    ...show(vault, transfer),
    proposals: proposals.map((of) => ({
      id: toWire('proposal', of.id),
      action: of.action,
      reason: vault.open(of.reasonSealed),
      state: of.state,
      proposedBy: toWire('operator', of.proposedBy),
      proposedAt: toRfc3339(of.proposedMs),
      decidedBy: of.decidedBy === null ? null : toWire('operator', of.decidedBy),
      decidedAt: of.decidedMs === null ? null : toRfc3339(of.decidedMs),
      note: of.noteSealed === null ? null : vault.open(of.noteSealed),
    })),
  };
}

/** Transfers from outside as the bank's staff sees them: those that a person has to look at are `duplicate`, `conflict` and `disputed`. */
export function incomingRoutes(rt: Runtime): Route[] {
  return [listRoute(rt), readRoute(rt), proposeRoute(rt), approveRoute(rt), rejectRoute(rt)];
}

const operator = { audience: 'operator', tag: 'Payouts' } as const;
const reference = z.string().min(1).max(64);
const ofTransfer = z.strictObject({ reference });
const ofProposal = z.strictObject({ reference, proposal: wireId('proposal') });

function listRoute({ db, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/incoming-transfers',
    permission: 'payouts.read',
    summary: 'Transfers to virtual account numbers, and how the core bank was answered',
    summaryZh: '来账列表',
    query: z.strictObject({ platform: wireId('platform').optional(), state: state.optional(), ...pageQuery }),
    answers: { 200: { description: 'A page, in the order of references', schema: pageSchema(transferSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query }) => {
      const after = query.cursor === undefined ? '' : String(decodeCursor(LIST, 1, query.cursor)[0]);
      const wanted = { state: query.state, platformId: query.platform, after };
      const rows = await db.read('incoming-transfers', (tx) => listTransfers(tx, wanted, query.limit + 1));
      return {
        status: 200,
        body: page(
          LIST,
          rows,
          query.limit,
          (row) => [row.reference],
          (row) => show(vault, row),
        ),
      };
    },
  });
}

function readRoute({ db, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/incoming-transfers/{reference}',
    permission: 'payouts.read',
    summary: 'One transfer, and what was proposed about it',
    summaryZh: '来账详情',
    params: ofTransfer,
    answers: { 200: { description: 'The transfer', schema: seenSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params }) => {
      const seen = await db.read('incoming-transfer', (tx) => requireTransfer(tx, params.reference));
      return { status: 200, body: showSeen(vault, seen) };
    },
  });
}

function proposeRoute({ clock, newId, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/incoming-transfers/{reference}/proposals',
    permission: 'suspense.write',
    summary: 'Proposes to accept a transfer whose message came before, or to send it back to its payer',
    summaryZh: '提出重复来账处理意见',
    params: ofTransfer,
    body: z.strictObject({ action: z.enum(TRANSFER_DECISIONS), reason: textSchema(200) }),
    answers: { 201: { description: 'Proposed; another person has to approve it', schema: seenSchema } },
    refusals: ['NOT_FOUND', 'TRANSFER_NOT_WAITING', 'TRANSFER_PROPOSED'],
    handle: async ({ params, body: { action, reason }, caller, tx }) => {
      const who = { proposedBy: caller.operatorId, proposedMs: clock.now() };
      const seen = await propose(tx, { id: newId(), ...params, action, reasonSealed: vault.seal(reason), ...who });
      return { status: 201, body: showSeen(vault, seen), audit: { target: targetOf(seen), note: action } };
    },
  });
}

const decided = { params: ofProposal, permission: 'suspense.write', method: 'POST' } as const;

function approveRoute({ clock, vault, bells }: Runtime): Route {
  return route({
    ...operator,
    ...decided,
    path: '/admin/v1/incoming-transfers/{reference}/proposals/{proposal}/approve',
    summary: 'Approves what another proposed; the worker tells the core bank',
    summaryZh: '复核通过来账处理意见',
    body: z.strictObject({ note: textSchema(200).optional() }),
    answers: { 200: { description: 'Approved; its state says when the core bank was answered', schema: seenSchema } },
    refusals: ['NOT_FOUND', 'SAME_OPERATOR', 'PROPOSAL_DECIDED'],
    handle: async ({ params, body: { note }, caller, tx }) => {
      const noteSealed = note === undefined ? null : vault.seal(note);
      const seen = await approve(tx, { ...params, by: caller.operatorId, nowMs: clock.now(), noteSealed });
      const afterCommit = () => bells.ring('take-incoming', ONE_PLACE);
      return { status: 200, body: showSeen(vault, seen), audit: { target: targetOf(seen) }, afterCommit };
    },
  });
}

function rejectRoute({ clock, vault }: Runtime): Route {
  return route({
    ...operator,
    ...decided,
    path: '/admin/v1/incoming-transfers/{reference}/proposals/{proposal}/reject',
    summary: 'Rejects a proposal; whoever proposed it takes it back that way',
    summaryZh: '复核退回或撤回来账处理意见',
    body: z.strictObject({ note: textSchema(200) }),
    answers: { 200: { description: 'Rejected or withdrawn; the transfer waits on', schema: seenSchema } },
    refusals: ['NOT_FOUND', 'PROPOSAL_DECIDED'],
    handle: async ({ params, body: { note }, caller, tx }) => {
      const seen = await reject(tx, { ...params, by: caller.operatorId, nowMs: clock.now(), noteSealed: vault.seal(note) });
      return { status: 200, body: showSeen(vault, seen), audit: { target: targetOf(seen) } };
    },
  });
}

function targetOf({ transfer }: Seen): string {
  return `incoming transfer ${transfer.reference}`;
}
