import { type Instant, type Refusal, toRfc3339 } from '../../kernel/index.js';
import type { Page } from '../../runtime/index.js';
import type { Factors } from '../records.js';
import type { Bilingual, Language, Shown, ShownLine, Subject } from '../rules.js';
import type { Ending } from '../states.js';
import { amountInWords, yuanWithCommas } from './amounts.js';
import { joined, layout, NOTHING, type Piece, piece } from './layout.js';
import { attemptsLeft, NOTICES, type Notice, resultOf, sentTo, WORDS } from './words.js';

/** All that the page of one consent says. */
export interface ConsentView {
  /** From the address by which the page was found. */
  readonly token: string;
  readonly language: Language;
  readonly subject: Subject;
  readonly shown: Shown;
  readonly notice?: Notice | undefined;
  /** Absent when the question is over. */
  readonly asks?: {
    readonly needs: Factors;
    readonly attemptsLeft: number;
    readonly codesSent: number;
    /** Of the customer's mobile, where a code can be sent. */
    readonly maskedMobile: string | undefined;
  };
  /** How it ended, when it did. */
  readonly ended?: { readonly ending: Ending; readonly answeredMs: Instant | null };
}

type Say = (text: Bilingual) => string;

export function consentPage(view: ConsentView): Page {
  const { language, shown, token } = view;
  const say: Say = (text) => text[language];
  const other = language === 'zh' ? 'en' : 'zh';
  return layout({
    language,
    title: view.ended ? say(resultOf(view.subject, view.ended.ending).title) : say(shown.title),
    otherLanguage: `${encodeURIComponent(token)}?lang=${other}`,
    content: view.ended ? resultContent(view, say) : questionContent(view, say),
  });
}

function questionContent(view: ConsentView, say: Say): Piece {
  const { shown, language } = view;
  return piece`$${noticeBox(view, say)}<section class="card" aria-labelledby="title">
<h1 id="title">${say(shown.title)}</h1>
$${sum(shown, language)}$${lines(shown, say)}
$${forms(view, say)}
</section>
<p class="foot">${say(WORDS.secrecy)}</p>`;
}

/** What an entry of the form went wrong with, to lead the reader there. */
const FIELD_OF: Partial<Record<Notice, string>> = {
  CODE_EXPIRED: 'code',
  PASSWORD_WEAK: 'newPassword',
  REPEAT_DIFFERS: 'newPassword',
};

/** The entries that may be wrong, as they stand on the page: of two factors it is not said which. */
function fieldsOf(notice: Notice | undefined, needs: Factors | undefined): string[] {
  if (notice === undefined) return [];
  const factors = { sms: ['code'], password: ['password'], both: ['code', 'password'] };
  if (notice === 'FACTOR_WRONG' || notice === 'SHAPE_INVALID') return needs === undefined ? [] : factors[needs];
  const field = FIELD_OF[notice];
  return field === undefined ? [] : [field];
}

function noticeBox({ notice, asks }: ConsentView, say: Say): Piece {
  if (notice === undefined) return NOTHING;
  const text = say(NOTICES[notice]);
  if (notice === 'CODE_SENT') return piece`<div class="note" role="status"><p>${text}</p></div>`;
  const left = notice === 'FACTOR_WRONG' && asks !== undefined ? say(attemptsLeft(asks.attemptsLeft)) : '';
  const [field] = fieldsOf(notice, asks?.needs);
  const words =
    field === undefined || asks === undefined ? piece`${text} ${left}` : piece`<a href="$${`#${field}`}">${text}</a> ${left}`;
  return piece`<div class="note bad" role="alert" tabindex="-1" autofocus><p>$${words}</p></div>`;
}

function sum({ fen }: Shown, language: Language): Piece {
  if (fen === undefined) return NOTHING;
  const amount = BigInt(fen);
  const words = language === 'zh' ? piece`<p class="words">${amountInWords(amount)}</p>` : NOTHING;
  return piece`<p class="sum"><small>¥</small>${yuanWithCommas(amount)}</p>
$${words}`;
}

function textOf(value: ShownLine['value'], say: Say): string {
  if (typeof value === 'string') return value;
  return 'fen' in value ? `¥${yuanWithCommas(BigInt(value.fen))}` : say(value);
}

function lines({ lines: all, fen }: Shown, say: Say, more: readonly ShownLine[] = []): Piece {
  // The amount that stands there large is not said twice.
  const rest = all.filter(({ value }) => !(typeof value === 'object' && 'fen' in value && value.fen === fen));
  const rows = [...rest, ...more].map(
    ({ label, value }) => piece`<div><dt>${say(label)}</dt><dd>${textOf(value, say)}</dd></div>
`,
  );
  return piece`<dl>
$${joined(rows)}</dl>`;
}

function forms({ token, language, subject, asks, notice }: ConsentView, say: Say): Piece {
  if (asks === undefined) return NOTHING;
  const { needs } = asks;
  const to = `${encodeURIComponent(token)}?lang=${language}`;
  const wrong = fieldsOf(notice, needs);
  const field = (of: FieldOf) => digits(of, wrong.includes(of.name));
  const isNew = subject === 'password';
  const fields = [
    needs === 'password' ? NOTHING : codeField(asks, say, wrong.includes('code')),
    needs === 'sms'
      ? NOTHING
      : field({ name: 'password', label: say(isNew ? WORDS.oldPassword : WORDS.password), hint: say(WORDS.passwordHint) }),
    isNew ? field({ name: 'newPassword', label: say(WORDS.newPassword), hint: say(WORDS.newPasswordHint) }) : NOTHING,
    isNew ? field({ name: 'repeatPassword', label: say(WORDS.repeatPassword), hint: say(WORDS.passwordHint) }) : NOTHING,
  ];
  const send = `${encodeURIComponent(token)}/code?lang=${language}`;
  return piece`<form method="post" id="send" action="$${send}"></form>
<form method="post" action="$${to}">
$${joined(fields)}<button class="wide main" name="answer" value="approve">${say(WORDS.approve)}</button>
</form>
<form method="post" action="$${to}"><button class="wide no" name="answer" value="decline">${say(WORDS.decline)}</button></form>`;
}

interface FieldOf {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
}

function digits({ name, label, hint }: FieldOf, invalid: boolean): Piece {
  return piece`<div class="field"><label for="${name}">${label}</label>
<p class="hint" id="${`${name}-hint`}">${hint}</p>
<div class="row"><input id="${name}" name="${name}" type="password" inputmode="numeric" autocomplete="off" required
 pattern="[0-9]{6}" maxlength="6" aria-describedby="${`${name}-hint`}"$${invalid ? ' aria-invalid="true"' : ''}></div></div>
`;
}

function codeField({ codesSent, maskedMobile }: NonNullable<ConsentView['asks']>, say: Say, invalid: boolean): Piece {
  const hint = maskedMobile === undefined ? say(NOTICES.SMS_NOT_SENT) : say(sentTo(maskedMobile));
  return piece`<div class="field"><label for="code">${say(WORDS.code)}</label>
<p class="hint" id="code-hint">${hint}</p>
<div class="row"><input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" required
 pattern="[0-9]{6}" maxlength="6" aria-describedby="code-hint"$${invalid ? ' aria-invalid="true"' : ''}>
<button form="send">${say(codesSent === 0 ? WORDS.getCode : WORDS.getCodeAgain)}</button></div></div>
`;
}

const MARKS: Record<Ending, string> = {
  given: `<svg class="mark yes" viewBox="0 0 56 56" aria-hidden="true" focusable="false"><circle cx="28" cy="28" r="26" fill="none" stroke="currentColor" stroke-width="2.5"/><path d="M17 29l8 8 15-17" fill="none" stroke="currentColor" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`,
  declined: `<svg class="mark over" viewBox="0 0 56 56" aria-hidden="true" focusable="false"><circle cx="28" cy="28" r="26" fill="none" stroke="currentColor" stroke-width="2.5"/><path d="M20 20l16 16M36 20L20 36" fill="none" stroke="currentColor" stroke-width="3.5" stroke-linecap="round"/></svg>`,
  expired: `<svg class="mark over" viewBox="0 0 56 56" aria-hidden="true" focusable="false"><circle cx="28" cy="28" r="26" fill="none" stroke="currentColor" stroke-width="2.5"/><path d="M28 15v14l9 6" fill="none" stroke="currentColor" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`,
  locked: `<svg class="mark bad-mark" viewBox="0 0 56 56" aria-hidden="true" focusable="false"><circle cx="28" cy="28" r="26" fill="none" stroke="currentColor" stroke-width="2.5"/><path d="M19 26h18v13H19zM22.500 26v-4.500a5.500 5.500 0 0 1 11 0V26" fill="none" stroke="currentColor" stroke-width="3" stroke-linejoin="round"/></svg>`,
};

function resultContent(view: ConsentView, say: Say): Piece {
  const { ending, answeredMs } = view.ended as NonNullable<ConsentView['ended']>;
  const { title, text } = resultOf(view.subject, ending);
  const when: ShownLine[] =
    answeredMs === null || ending === 'expired'
      ? []
      : [{ label: WORDS.answeredAt, value: toRfc3339(answeredMs).slice(0, 19).replace('T', ' ') }];
  const subject: ShownLine[] = [{ label: WORDS.subject, value: view.shown.title }];
  const { shown } = view;
  const all: Shown = { ...shown, lines: [...subject, ...shown.lines] };
  return piece`$${noticeBox(view, say)}<section class="card" aria-labelledby="title">
$${MARKS[ending]}<h1 id="title">${say(title)}</h1>
<p class="after">${say(text)}</p>
$${sum(shown, view.language)}$${lines(all, say, when)}
</section>
<p class="foot">${say(WORDS.close)}</p>`;
}

/** What stands in the place of a page: none is there, or something went wrong. It tells nothing of why. */
export function refusalPage(refusal: Refusal, language: Language): Page {
  const missing = refusal.code === 'NOT_FOUND';
  const say: Say = (text) => text[language];
  const title = say(missing ? WORDS.pageMissing : WORDS.pageFailed);
  const content = piece`<section class="card"><h1>${title}</h1>
<p class="after">${say(missing ? WORDS.pageMissingWhy : WORDS.pageFailedWhy)}</p></section>`;
  return layout({ language, title, content });
}
