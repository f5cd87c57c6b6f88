import { z } from 'zod';
import { requireAccount } from '../accounts/index.js';
import { Refused, refuse, toWire } from '../kernel/index.js';
import {
  businessDateSchema,
  moneySchema,
  type Route,
  type Runtime,
  route,
  type Tx,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { approveDeduction, declineDeduction, type OrderDeduction, proposeDeduction } from './deductions.js';
import { freeze, lift, renew } from './judicial.js';
import {
  claimOfFreeze,
  claimsOn,
  deductionsOf,
  type Freeze,
  findDeduction,
  findFreeze,
  freezesOn,
  judicialOrdersOf,
} from './store.js';
import { deductionRequest, deductionSchema, freezeSchema, showDeduction, showFreeze } from './wire.js';

const staff = { audience: 'operator', tag: 'Judicial freezes' } as const;
const writing = { ...staff, permission: 'freezes.write' } as const;
const reading = { ...staff, permission: 'customers.read' } as const;
const documentNo = textSchema(64).meta({ description: "The number of the authority's document" });
const freezeParams = z.strictObject({ freeze: wireId('freeze') });
const deductionParams = z.strictObject({ deduction: wireId('deduction') });

/** A freeze with what it has now. Call it in a snapshot or under the shard's lock. */
async function view(tx: Tx, of: Freeze) {
  const { held } = await claimsOn(tx, of.platformId, of.accountId);
  const has = held.find(({ claim }) => claim.refId === of.id)?.held ?? 0n;
  return showFreeze(of, await claimOfFreeze(tx, of), has, await judicialOrdersOf(tx, of.id));
}

/** What the bank's staff does at the word of an authority. @param order gives the instruction of an approved deduction */
export function judicialRoutes(rt: Runtime, order: OrderDeduction): Route[] {
  return [freezeRoute(rt), ...changeRoutes(rt), ...readRoutes(rt), proposeRoute(rt), ...decideRoutes(rt, order)];
}

function freezeRoute(rt: Runtime): Route {
  return route({
    ...writing,
    method: 'POST',
    path: '/admin/v1/accounts/{account}/judicial-freezes',
    summary: 'Freezes an amount, or all, behind what was frozen before; the same document again changes nothing',
    summaryZh: '司法冻结（轮候）',
    description:
      'It may be more than there is: what comes in later is frozen up to it. It ends by itself at the end of its last day. What was ' +
      'held for a purpose before stays held for it, and is frozen when it becomes free.',
    params: z.strictObject({ account: wireId('account') }),
    body: z.strictObject({
      authority: textSchema(128).meta({ description: 'The court or other authority' }),
      documentNo,
      amount: moneySchema.optional().meta({ description: 'All that is there and comes in when absent' }),
      from: businessDateSchema,
      until: businessDateSchema.meta({ description: 'Its last day, within a year', format: 'date', example: '2027-03-01' }),
    }),
    answers: { 201: { description: 'Frozen', schema: freezeSchema } },
    refusals: ['ACCOUNT_TYPE_NOT_ALLOWED', 'ACCOUNT_CLOSED', 'FREEZE_DATES', 'FREEZE_DOCUMENT_REUSED'],
    async handle({ caller, params: { account }, body, tx }) {
      const made = await freeze(tx, rt, { ...body, account, amount: body.amount?.amount }, caller.operatorId);
      const target = `freeze ${toWire('freeze', made.id)}`;
      return { status: 201, body: await view(tx, made), audit: { target, note: body.documentNo } };
    },
  });
}

function changeRoutes(rt: Runtime): Route[] {
  return [
    route({
      ...writing,
      method: 'POST',
      path: '/admin/v1/judicial-freezes/{freeze}/renew',
      summary: 'Gives a freeze another last day before it expires; it keeps its place',
      summaryZh: '续行冻结',
      params: freezeParams,
      body: z.strictObject({ documentNo, until: businessDateSchema }),
      answers: { 200: { description: 'Renewed', schema: freezeSchema } },
      refusals: ['FREEZE_ENDED', 'FREEZE_DATES', 'FREEZE_DOCUMENT_REUSED'],
      async handle({ caller, params, body, tx }) {
        const after = await renew(tx, rt, params.freeze, body, caller.operatorId);
        const target = `freeze ${toWire('freeze', after.id)}`;
        return { status: 200, body: await view(tx, after), audit: { target, note: body.documentNo } };
      },
    }),
    route({
      ...writing,
      method: 'POST',
      path: '/admin/v1/judicial-freezes/{freeze}/lift',
      summary: 'Lifts a freeze, or a part of it; what becomes free goes to the next',
      summaryZh: '解除冻结（全部或部分）',
      params: freezeParams,
      body: z.strictObject({ documentNo, amount: moneySchema.optional().meta({ description: 'The whole of it when absent' }) }),
      answers: { 200: { description: 'Lifted', schema: freezeSchema } },
      refusals: ['FREEZE_ENDED', 'FREEZE_OF_ALL', 'FREEZE_LIFT_EXCEEDS', 'FREEZE_DOCUMENT_REUSED'],
      async handle({ caller, params, body, tx }) {
        const of = { documentNo: body.documentNo, amount: body.amount?.amount };
        const after = await lift(tx, rt, params.freeze, of, caller.operatorId);
        const target = `freeze ${toWire('freeze', after.id)}`;
        return { status: 200, body: await view(tx, after), audit: { target, note: body.documentNo } };
      },
    }),
  ];
}

function readRoutes({ db, vault }: Runtime): Route[] {
  return [
    route({
      ...reading,
      method: 'GET',
      path: '/admin/v1/accounts/{account}/judicial-freezes',
      summary: 'All freezes of an account in the order in which they came, ended ones too',
      summaryZh: '查询账户司法冻结',
      params: z.strictObject({ account: wireId('account') }),
      answers: { 200: { description: 'The freezes', schema: z.strictObject({ items: z.array(freezeSchema) }) } },
      async handle({ params }) {
        const items = await db.snapshot('freezes', async (tx) => {
          await requireAccount(tx, params.account, undefined);
          const shown = [];
          for (const of of await freezesOn(tx, params.account)) shown.push(await view(tx, of));
          return shown;
        });
        return { status: 200, body: { items } };
      },
    }),
    route({
      ...reading,
      method: 'GET',
      path: '/admin/v1/judicial-freezes/{freeze}',
      summary: 'A freeze, what it has, and its deductions',
      summaryZh: '查询司法冻结',
      params: freezeParams,
      answers: {
        200: {
          description: 'The freeze',
          schema: z.strictObject({ freeze: freezeSchema, deductions: z.array(deductionSchema) }),
        },
      },
      async handle({ params }) {
        const body = await db.snapshot('freeze', async (tx) => {
          const found = await findFreeze(tx, params.freeze);
          if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
          const deductions = await deductionsOf(tx, found.id);
          return { freeze: await view(tx, found), deductions: deductions.map((each) => showDeduction(vault, each)) };
        });
        return { status: 200, body };
      },
    }),
    route({
      ...reading,
      method: 'GET',
      path: '/admin/v1/judicial-deductions/{deduction}',
      summary: 'A deduction and what became of it',
      summaryZh: '查询司法扣划',
      params: deductionParams,
      answers: { 200: { description: 'The deduction', schema: deductionSchema } },
      async handle({ params }) {
        const found = await db.snapshot('deduction', (tx) => findDeduction(tx, params.deduction));
        if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
        return { status: 200, body: showDeduction(vault, found) };
      },
    }),
  ];
}

function proposeRoute(rt: Runtime): Route {
  return route({
    ...writing,
    method: 'POST',
    path: '/admin/v1/judicial-freezes/{freeze}/deductions',
    summary: 'Asks for a deduction out of what a freeze has; another member of staff approves it',
    summaryZh: '申请司法扣划',
    confidential: true,
    params: freezeParams,
    body: deductionRequest,
    answers: { 201: { description: 'Asked for', schema: deductionSchema } },
    refusals: ['FREEZE_ENDED', 'DEDUCTION_EXCEEDS_FREEZE', 'FREEZE_DOCUMENT_REUSED'],
    async handle({ caller, params, body, tx }) {
      const of = { ...body, amount: body.amount.amount };
      const made = await proposeDeduction(tx, rt, params.freeze, of, caller.operatorId);
      const target = `deduction ${toWire('deduction', made.deduction.id)}`;
      return { status: 201, body: showDeduction(rt.vault, made), audit: { target, note: body.documentNo } };
    },
  });
}

function decideRoutes(rt: Runtime, order: OrderDeduction): Route[] {
  return [
    route({
      ...writing,
      method: 'POST',
      path: '/admin/v1/judicial-deductions/{deduction}/approve',
      summary: 'Approves a deduction that another member of staff asked for; it is decided afterwards',
      summaryZh: '复核司法扣划',
      params: deductionParams,
      answers: { 200: { description: 'Approved', schema: deductionSchema } },
      refusals: ['DEDUCTION_DECIDED', 'SAME_OPERATOR', 'FREEZE_ENDED', 'DEDUCTION_EXCEEDS_FREEZE'],
      async handle({ caller, params, tx }) {
        const approved = await approveDeduction(tx, rt, order, params.deduction, caller.operatorId);
        return {
          status: 200,
          body: showDeduction(rt.vault, approved.view),
          audit: { target: `deduction ${toWire('deduction', params.deduction)}` },
          afterCommit: () => rt.bells.ring('execute-shard', String(approved.shardId)),
        };
      },
    }),
    route({
      ...writing,
      method: 'POST',
      path: '/admin/v1/judicial-deductions/{deduction}/decline',
      summary: 'Declines a deduction',
      summaryZh: '驳回司法扣划',
      params: deductionParams,
      body: z.strictObject({ reason: textSchema(200) }),
      answers: { 200: { description: 'Declined', schema: deductionSchema } },
      refusals: ['DEDUCTION_DECIDED'],
      async handle({ caller, params, body, tx }) {
        const declined = await declineDeduction(tx, rt, params.deduction, caller.operatorId);
        const audit = { target: `deduction ${toWire('deduction', params.deduction)}`, note: body.reason };
        return { status: 200, body: showDeduction(rt.vault, declined), audit };
      },
    }),
  ];
}
