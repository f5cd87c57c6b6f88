import { z } from 'zod';
import { type Id, type Refusal, Refused, refuse, toRfc3339, toWire } from '../../kernel/index.js';
import { businessDateSchema, problemOf, requestNo, rfc3339Schema, type Tx, textSchema, wireId } from '../../runtime/index.js';
import { VERSION_STATES } from '../states.js';
import { type Agreement, agreementsById, loadTerms } from '../store.js';
import type { Terms } from '../terms.js';
import { submission } from '../version-wire.js';
import { showTerms, termsSchema } from '../wire.js';
import type { Decided } from './decide.js';
import { findGroup, type Group, type Member, statesOf } from './store.js';
import type { GroupSubmission } from './submit.js';

/** How groups of versions look on the wire. */
export const LINES_MAX = 1000;

const { agreementNo, version, account, amends, validFrom, validTo, terms } = submission.shape;
const line = z.strictObject({ agreementNo, version, account, amends });
type Lines = readonly z.output<typeof line>[];

const isOnce = (field: 'agreementNo' | 'account') => (lines: Lines) =>
  new Set(lines.map((each) => each[field])).size === lines.length;

export const groupSubmission = z
  .strictObject({
    groupNo: requestNo.meta({ description: "The platform's own number of the group; remembered for ever" }),
    ...{ validFrom, validTo, terms },
    lines: z
      .array(line)
      .min(1)
      .max(LINES_MAX)
      .refine(isOnce('account'), { error: 'must not name an account twice' })
      .refine(isOnce('agreementNo'), { error: 'must not name an agreement twice' }),
  })
  .meta({ id: 'NewAgreementGroup' });

export function groupSubmissionOf({ validTo: until, lines, ...rest }: z.output<typeof groupSubmission>): GroupSubmission {
  return { ...rest, validTo: until ?? null, lines: lines.map((each) => ({ ...each, amends: each.amends ?? null })) };
}

const count = z.int();
const groupFields = {
  id: z.string().meta({ example: 'agg_2236512894231552003' }),
  groupNo: z.string(),
  validFrom: businessDateSchema,
  validTo: businessDateSchema.nullable(),
  terms: termsSchema,
  versions: count,
  states: z
    .strictObject(Object.fromEntries(VERSION_STATES.map((state) => [state, count])))
    .meta({ description: 'How many of the versions are in which state' }),
  submittedAt: rfc3339Schema,
};
export const groupSchema = z.strictObject(groupFields).meta({ id: 'AgreementGroup' });
export const staffGroupSchema = z
  .strictObject({
    ...groupFields,
    platform: z.string(),
    beyondCap: z.boolean().meta({ description: "Whoever checks and approves has to say the terms' cap again" }),
  })
  .meta({ id: 'StaffAgreementGroup' });

export const memberSchema = z
  .strictObject({
    id: z.string().meta({ description: 'Of the version' }),
    agreement: z.string(),
    agreementNo: z.string(),
    account: z.string(),
    version: count,
    amends: count.nullable(),
    state: z.enum(VERSION_STATES),
    needed: count.meta({ description: 'How many have to sign' }),
    signed: count.meta({ description: 'How many have' }),
  })
  .meta({ id: 'AgreementGroupMember' });

export const submittedSchema = z
  .strictObject({ ...groupFields, items: z.array(memberSchema).meta({ description: 'In the order of the lines' }) })
  .meta({ id: 'SubmittedAgreementGroup' });

/** Groups with what is shown beside them. */
export interface GroupView {
  readonly group: Group;
  readonly terms: Terms;
  readonly states: ReadonlyMap<string, number>;
}

export async function viewGroups(tx: Tx, groups: readonly Group[]): Promise<GroupView[]> {
  const hashes = new Map(groups.map(({ termsHash }) => [termsHash.toString('hex'), termsHash]));
  const known = await loadTerms(tx, [...hashes.values()]);
  const states = await statesOf(
    tx,
    groups.map(({ id }) => id),
  );
  return groups.map((group) => ({
    group,
    terms: known.get(group.termsHash.toString('hex')) as Terms,
    states: states.get(group.id) ?? new Map(),
  }));
}

/** @throws Refused NOT_FOUND, also for another platform's */
export async function requireGroup(tx: Tx, id: Id, platformId?: Id): Promise<Group> {
  const group = await findGroup(tx, id, platformId);
  if (group === undefined) throw new Refused(refuse('NOT_FOUND'));
  return group;
}

export function showGroup({ group, terms: agreed, states }: GroupView): z.input<typeof groupSchema> {
  return {
    id: toWire('group', group.id),
    groupNo: group.groupNo,
    validFrom: group.validFrom,
    validTo: group.validTo,
    terms: showTerms(agreed),
    versions: group.versions,
    states: Object.fromEntries(VERSION_STATES.map((state) => [state, states.get(state) ?? 0])),
    submittedAt: toRfc3339(group.submittedMs),
  };
}

export function showStaffGroup(view: GroupView, cap: bigint): z.input<typeof staffGroupSchema> {
  return {
    ...showGroup(view),
    platform: toWire('platform', view.group.platformId),
    beyondCap: view.terms.othersCap > cap,
  };
}

/** With the numbers of their agreements. */
export async function showMembers(tx: Tx, members: readonly Member[]): Promise<z.input<typeof memberSchema>[]> {
  const agreements = await agreementsById(
    tx,
    members.map(({ agreementId }) => agreementId),
  );
  return members.map((member) => ({
    id: toWire('version', member.id),
    agreement: toWire('agreement', member.agreementId),
    agreementNo: (agreements.get(member.agreementId) as Agreement).agreementNo,
    account: toWire('account', member.accountId),
    ...{ version: member.version, amends: member.amends, state: member.state, needed: member.needed, signed: member.signed },
  }));
}

export const paperList = z.strictObject({
  accounts: z
    .union([z.literal('missing'), z.array(wireId('account')).min(1).max(LINES_MAX)])
    .meta({ description: 'Whose signatures the list holds; `missing`: those of all who have not signed yet' }),
  voucher: textSchema(64).meta({ description: 'The number of the list that was signed' }),
});

export const decidedSchema = z
  .strictObject({
    group: staffGroupSchema,
    moved: count.meta({ description: 'How many versions took the step' }),
    left: z
      .array(z.strictObject({ version: z.string(), account: z.string(), code: z.string(), detail: z.string() }))
      .meta({ description: 'Those that were at this step and may not take it, each with its reason' }),
  })
  .meta({ id: 'DecidedAgreementGroup' });

export function showLeft(left: Decided['left'], requestId: string) {
  return left.map(({ member, refusal }) => {
    const { code, detail, title } = problemOf(refusal satisfies Refusal, requestId);
    return {
      version: toWire('version', member.id),
      account: toWire('account', member.accountId),
      ...{ code, detail: detail ?? title },
    };
  });
}
