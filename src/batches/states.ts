/**
 * The life of a file of instructions, as data. `rejected`: it is not legal, and nothing of it is ever done. `accepted` waits for whoever
 * sent it to start it. `running`: lines are being given. `waiting`: all were given, and some wait for a customer, for money or for the
 * bank. `finished`: each line has its result; those that were refused may be run again.
 */
export const BATCH_STATES = ['rejected', 'accepted', 'running', 'waiting', 'finished'] as const;
export type BatchState = (typeof BATCH_STATES)[number];

export const BATCH_TRANSITIONS: Readonly<Record<BatchState, readonly BatchState[]>> = {
  accepted: ['running'],
  running: ['waiting', 'finished'],
  waiting: ['finished', 'running'],
  finished: ['running'],
  rejected: [],
};

export const BATCH_MODES = ['partial', 'atomic'] as const;
export type BatchMode = (typeof BATCH_MODES)[number];

/**
 * What is written of a line. `ready`: to be given in its attempt; `given`: it is an instruction, which says what became of it; `refused`:
 * it became none; `not-executed`: nothing is wrong with it, but with another line of a file that is all or nothing.
 */
export const LINE_STATES = ['ready', 'given', 'refused', 'not-executed'] as const;
export type LineState = (typeof LINE_STATES)[number];
