import { asId, type Id, type Instant } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import type { Role } from './rules.js';

export type WordState = 'asked' | 'given' | 'declined' | 'lapsed';

/** What a party of a project was asked, and said. */
export interface Word {
  readonly id: Id;
  readonly projectId: Id;
  readonly role: Role;
  readonly way: 'page' | 'paper';
  readonly state: WordState;
  readonly userId: Id | null;
  readonly consentId: Id | null;
  readonly expiresMs: Instant | null;
  readonly voucherSealed: string | null;
  readonly recordedBy: Id | null;
  readonly createdMs: Instant;
  readonly givenMs: Instant | null;
}

interface WordRow {
  id: string;
  project_id: string;
  role: Role;
  way: Word['way'];
  state: WordState;
  user_id: string | null;
  consent_id: string | null;
  expires_ms: string | null;
  voucher_sealed: string | null;
  recorded_by: string | null;
  created_ms: string;
  given_ms: string | null;
}

const id = (text: string | null): Id | null => (text === null ? null : asId(text));
const moment = (text: string | null): Instant | null => (text === null ? null : (Number(text) as Instant));

function wordOf(row: WordRow): Word {
  return {
    ...{ id: asId(row.id), projectId: asId(row.project_id), role: row.role, way: row.way, state: row.state },
    ...{ userId: id(row.user_id), consentId: id(row.consent_id), recordedBy: id(row.recorded_by) },
    ...{ expiresMs: moment(row.expires_ms), givenMs: moment(row.given_ms), createdMs: Number(row.created_ms) as Instant },
    voucherSealed: row.voucher_sealed,
  };
}

/** The words of a project in the order they were asked for. */
export async function wordsOf(tx: Tx, projectId: Id): Promise<Word[]> {
  return (await tx.rows<WordRow>('SELECT * FROM lending_confirmations WHERE project_id = ? ORDER BY id', [projectId])).map(
    wordOf,
  );
}

export async function findWord(tx: Tx, word: Id): Promise<Word | undefined> {
  const [row] = await tx.rows<WordRow>('SELECT * FROM lending_confirmations WHERE id = ?', [word]);
  return row && wordOf(row);
}

/** @throws a duplicate-key error when the party is asked already, or has said yes */
export async function insertWord(tx: Tx, w: Word): Promise<void> {
  await tx.write(
    `INSERT INTO lending_confirmations (id, project_id, role, way, state, live, user_id, consent_id, expires_ms, voucher_sealed, recorded_by,
       created_ms, given_ms) VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[w.id, w.projectId, w.role, w.way, w.state, w.userId, w.consentId, w.expiresMs, w.voucherSealed, w.recordedBy],
      ...[w.createdMs, w.givenMs],
    ],
  );
}

/** Answers false when it was answered meanwhile. */
export async function answerWord(tx: Tx, word: Id, to: Exclude<WordState, 'asked'>, nowMs: Instant): Promise<boolean> {
  const given = to === 'given';
  const changed = await tx.write(
    `UPDATE lending_confirmations SET state = ?, live = ?, given_ms = ? WHERE id = ? AND state = 'asked'`,
    [to, given ? 1 : null, given ? nowMs : null, word],
  );
  return changed === 1;
}
