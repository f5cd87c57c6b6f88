import { createHash } from 'node:crypto';
import type { Id, Minor } from '../kernel/index.js';

/** One text in both languages of the hosted pages. */
export interface Bilingual {
  readonly en: string;
  readonly zh: string;
}
export type Language = keyof Bilingual;

/** What a consent is about. */
export const SUBJECTS = ['instruction', 'mandate', 'password', 'activation', 'card', 'mobile'] as const;
export type Subject = (typeof SUBJECTS)[number];

/**
 * Exactly what the customer sees before he answers; nothing else is put to him. It is kept sealed, and its digest binds the consent.
 * Texts that come from outside (a platform's name, an order number) stand here as they are; the page escapes all of them.
 */
export interface Shown {
  /** What it is: `确认付款`, `Confirm a payment`. */
  readonly title: Bilingual;
  /** The one amount that moves, in fen as decimal digits: shown large, and in Chinese also in words. Absent when none does. */
  readonly fen?: string;
  /** Platform, payee, order, account (masked), until when it acts … in the order in which they are shown. */
  readonly lines: readonly ShownLine[];
  /**
   * The act in one phrase for the SMS that brings the code, with the payee's ending and the amount:
   * `向尾号6789的账户付款100.00元`, `pay CNY 100.00 to the account ending 6789`.
   */
  readonly brief: Bilingual;
}
export interface ShownLine {
  readonly label: Bilingual;
  /** `fen`: an amount, which the page writes out in yuan. */
  readonly value: string | Bilingual | { readonly fen: string };
}

/** SHA-256 over what was asked: the same for the same subject, shown in the same words. */
export function digestOfShown(subject: Subject, subjectId: Id, shown: Shown): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([subject, subjectId, shown]))
    .digest();
}

/** An amount for `Shown`. */
export function shownFen(amount: Minor): { readonly fen: string } {
  return { fen: amount.toString() };
}
