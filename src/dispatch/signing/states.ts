/**
 * The life of a contract by which a customer lets a collecting channel debit his card (签约), as data. `asked` has no usable answer yet and is
 * asked again under its number; `signed` is used by every collection until name, card or mobile number is another; then it is `replaced`.
 */
export const SIGNING_STATES = ['asked', 'signed', 'refused', 'replaced'] as const;
export type SigningState = (typeof SIGNING_STATES)[number];

export const SIGNING_TRANSITIONS: Readonly<Record<SigningState, readonly SigningState[]>> = {
  asked: ['signed', 'refused', 'replaced'],
  signed: ['replaced'],
  refused: [],
  replaced: [],
};
