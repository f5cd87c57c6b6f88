import { createHash } from 'node:crypto';
import { canonicalJson, type Id, Refused, refuse, toWire } from '../../kernel/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../../runtime/index.js';
import { type Line, lookAt, type Seen } from '../look.js';
import { type KeptTerms, keptTerms, writeVersions } from '../submit.js';
import { type AskedTerms, type Fault, refusalOf } from '../version-check.js';
import { findGroupByNo, type Group, insertGroup } from './store.js';

/** What a platform submits for many sellers at once: terms, and the next version of the agreement of each. */
export interface GroupSubmission extends AskedTerms {
  readonly groupNo: string;
  readonly lines: readonly Line[];
}

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'calendar'>;

/**
 * Takes a group whole or not at all, in one transaction. Its number is remembered for ever: the same content again is the first request.
 * @throws Refused AGREEMENT_GROUP_REUSED, or every fault of every line at once
 */
export async function submitGroup(
  rt: Parts,
  platformId: Id,
  asked: GroupSubmission,
): Promise<{ readonly group: Group; readonly repeated: boolean }> {
  const kept = keptTerms(asked.terms);
  const contentHash = hashOf(asked, kept);
  const before = async (tx: Tx) => {
    const known = await findGroupByNo(tx, platformId, asked.groupNo);
    if (known !== undefined && !known.contentHash.equals(contentHash))
      throw new Refused(refuse('AGREEMENT_GROUP_REUSED', undefined, { group: toWire('group', known.id) }));
    return known;
  };
  let written: Group | undefined;
  const submit = () =>
    rt.db.withTx(
      'submit agreement group',
      async (tx) => {
        const known = await before(tx);
        if (known !== undefined) return { group: known, repeated: true };
        written = await write(tx, rt, platformId, { asked, kept, contentHash });
        return { group: written, repeated: false };
      },
      async () => {
        const known = await rt.db.read('submitted agreement group', before);
        return known === undefined || known.id !== written?.id ? undefined : { group: known, repeated: false };
      },
    );
  try {
    return await submit();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return submit(); // another request came between: now it is seen
  }
}

function hashOf({ groupNo, validFrom, validTo, lines }: GroupSubmission, { hash }: KeptTerms): Buffer {
  const content = lines.map(({ agreementNo, version, account, amends }) => ({ agreementNo, version, account, amends }));
  return createHash('sha256')
    .update(canonicalJson({ groupNo, validFrom, validTo, terms: hash.toString('hex'), lines: content }))
    .digest();
}

interface Writing {
  readonly asked: GroupSubmission;
  readonly kept: KeptTerms;
  readonly contentHash: Buffer;
}

async function write(tx: Tx, rt: Parts, platformId: Id, { asked, kept, contentHash }: Writing): Promise<Group> {
  const seen = await lookAt(tx, rt, platformId, asked);
  const refusal = refusalOf(faultsOf(seen));
  if (refusal !== undefined) throw new Refused(refusal);
  const { groupNo, validFrom, validTo, lines } = asked;
  const group: Group = {
    ...{ id: rt.newId(), platformId, groupNo, contentHash, termsHash: kept.hash, validFrom, validTo },
    ...{ versions: lines.length, submittedMs: rt.clock.now() },
  };
  await insertGroup(tx, group);
  await writeVersions(tx, rt, { platformId, asked, kept, agreements: seen.agreements, groupId: group.id });
  return group;
}

const LINE_FIELDS: readonly string[] = ['/agreementNo', '/version', '/account', '/amends'];

/** What is wrong for all is told once, what is wrong for one with the place of his line. */
function faultsOf({ faults, lines }: Seen): Fault[] {
  const keyOf = ({ code, pointer, detail }: Fault) => `${code} ${pointer} ${detail}`;
  const counts = new Map<string, number>();
  for (const fault of lines.flat()) counts.set(keyOf(fault), (counts.get(keyOf(fault)) ?? 0) + 1);
  const isOfAll = (fault: Fault) => !LINE_FIELDS.includes(fault.pointer) && counts.get(keyOf(fault)) === lines.length;
  const common = (lines[0] ?? []).filter(isOfAll);
  const own = lines.flatMap((line, place) =>
    line
      .filter((fault) => !isOfAll(fault))
      .map((fault) => ({ ...fault, pointer: `/lines/${place}${LINE_FIELDS.includes(fault.pointer) ? fault.pointer : ''}` })),
  );
  return [...faults, ...common, ...own];
}
