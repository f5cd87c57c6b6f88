import type { Id } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import type { Subject } from './rules.js';
import type { Ending } from './states.js';

/**
 * What happens, in the same transaction, when a question about a subject ended: given, declined, expired or locked. Answers what to
 * do after the commit (a bell, for instance). It runs again from the beginning when the transaction does.
 */
export type AnswerHandler = (tx: Tx, subjectId: Id, state: Ending) => Promise<(() => Promise<void>) | undefined>;
export type AnswerHandlers = Partial<Record<Subject, AnswerHandler>>;
