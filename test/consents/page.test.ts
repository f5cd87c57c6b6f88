import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import html from 'html-template-tag';
import { amountInWords, yuanWithCommas } from '../../src/consents/page/amounts.js';
import { languageOf } from '../../src/consents/page/layout.js';
import { NOTICES } from '../../src/consents/page/words.js';
import { REFUSALS } from '../../src/kernel/index.js';
import { type ConsentStage, MINUTE, openStage, PASSWORD, SHOWN } from './stage.js';

describe('amounts on a page', () => {
  test.each([
    ['0', '零元整'],
    ['1', '壹分'],
    ['10', '壹角'],
    ['105', '壹元零伍分'],
    ['100', '壹元整'],
    ['140950', '壹仟肆佰零玖元伍角'],
    ['600714', '陆仟零柒元壹角肆分'],
    ['168032', '壹仟陆佰捌拾元叁角贰分'],
    ['10700053', '壹拾万柒仟元伍角叁分'],
    ['1640902', '壹万陆仟肆佰零玖元零贰分'],
    ['32504', '叁佰贰拾伍元零肆分'],
    ['10000000', '壹拾万元整'],
    ['10000100', '壹拾万零壹元整'],
    ['1000100000', '壹仟万壹仟元整'],
    ['10001000000', '壹亿零壹万元整'],
    ['12345678', '壹拾贰万叁仟肆佰伍拾陆元柒角捌分'],
    ['9007199254740991', '玖拾万零柒佰壹拾玖亿玖仟贰佰伍拾肆万柒仟肆佰零玖元玖角壹分'],
    ['900000000000000', '玖万亿元整'],
  ])('%s fen are 人民币%s', (fen, words) => expect(amountInWords(BigInt(fen))).toBe(`人民币${words}`));

  test.each([
    ['0', '0.00'],
    ['5', '0.05'],
    ['99999', '999.99'],
    ['100000', '1,000.00'],
    ['12345678901', '123,456,789.01'],
  ])('%s fen are ¥%s', (fen, yuan) => expect(yuanWithCommas(BigInt(fen))).toBe(yuan));
});

describe('the language of a page', () => {
  test.each([
    [undefined, undefined, 'zh'],
    ['en', 'zh-CN,zh;q=0.9', 'en'],
    ['zh', 'en', 'zh'],
    [undefined, 'en-GB,en;q=0.8,zh;q=0.7', 'en'],
    [undefined, 'zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
    [undefined, 'de, en;q=0.3, zh;q=0.6', 'zh'],
    [undefined, 'fr', 'zh'],
    [undefined, '<script>', 'zh'],
  ] as const)('asked for %s with Accept-Language %s it is %s', (query, header, language) =>
    expect(languageOf(query, header)).toBe(language),
  );
});

test('the tag that builds the pages escapes in text and within quotes', () => {
  const hostile = `"><script>alert('1')</script>&\``;
  const made = html`<p title="${hostile}">${hostile}</p>`;
  expect(made).not.toContain('<script>');
  expect(made.match(/"/g)).toHaveLength(2);
});

test('each notice of a refusal is one of the catalogue', () => {
  const own = ['CODE_SENT', 'REPEAT_DIFFERS', 'MANDATE_REVOKED', 'SMS_TOO_OFTEN_NOW', 'SMS_TOO_OFTEN_TODAY'];
  for (const notice of Object.keys(NOTICES)) if (!own.includes(notice)) expect(Object.keys(REFUSALS)).toContain(notice);
});

describe('the page that the bank hosts', () => {
  let stage: ConsentStage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage.stop());

  const asked = async (question: Parameters<ConsentStage['ask']>[1] = {}) => {
    const customer = await stage.customer({ password: PASSWORD });
    return { customer, ...(await stage.ask(customer, question)) };
  };

  test('says all that will happen, in the language asked for, and nothing the customer should not see', async () => {
    const { path } = await asked({ needs: 'both' });
    const zh = (await stage.get(`${path}?lang=zh`)).text;
    for (const text of [
      '<html lang="zh-CN">',
      '付款',
      '123,456.78',
      '壹拾贰万叁仟肆佰伍拾陆元柒角捌分',
      '甲平台',
      '乙商户',
      'ORD-1',
      '915600*********1234',
    ])
      expect(zh).toContain(text);
    const en = (await stage.get(path, { 'accept-language': 'en-US' })).text;
    for (const text of ['<html lang="en">', 'Payment', '123,456.78', 'Trade password', 'Code by SMS']) expect(en).toContain(text);
    expect(en).not.toContain('壹拾贰万');
  });

  test('runs nothing, loads nothing, is kept by nobody and framed by nobody', async () => {
    const { path } = await asked();
    const { headers, text } = await stage.get(path);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['x-frame-options']).toBe('DENY');
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    );
    expect(text).not.toMatch(/<script|<link|<img| style="| on[a-z]+=/);
  });

  test('shows hostile text as text', async () => {
    const hostile = `"><script>x</script><b a='`;
    const shown = {
      title: { zh: hostile, en: hostile },
      lines: [{ label: { zh: hostile, en: hostile }, value: hostile }],
      brief: { zh: '', en: '' },
    };
    const { path } = await asked({ shown });
    const open = (await stage.get(path)).text;
    await stage.post(path, { answer: 'decline' });
    const over = (await stage.get(path)).text;
    for (const text of [open, over]) {
      expect(text).not.toMatch(/<script|<b /);
      expect(text).toContain('&quot;&gt;&lt;script&gt;x&lt;/script&gt;&lt;b a=&#39;');
    }
  });

  test('a notice that is none says nothing', async () => {
    const { path } = await asked();
    const { text, status } = await stage.get(`${path}?notice=<script>`);
    expect(status).toBe(200);
    expect(text).not.toContain('role="alert"');
    expect((await stage.get(`${path}?notice=toString`)).text).not.toContain('role="alert"');
  });

  test('a notice that is not true says nothing', async () => {
    const { path, customer } = await asked({ needs: 'both' });
    const says = async (notice: string, at = path) => /class="note/.test((await stage.get(`${at}?notice=${notice}`)).text);
    const shown = async (at = path) => {
      const said = [];
      for (const notice of Object.keys(NOTICES)) if (await says(notice, at)) said.push(notice);
      return said;
    };
    expect(await shown()).toEqual(['SHAPE_INVALID', 'CODE_EXPIRED']);
    await stage.post(`${path}/code`, {});
    expect(await shown()).toEqual(['CODE_SENT', 'SHAPE_INVALID', 'SMS_TOO_OFTEN']);
    await stage.post(path, { answer: 'approve', password: PASSWORD, code: '12' });
    expect(await says('FACTOR_WRONG')).toBe(false);
    await stage.post(path, { answer: 'approve', password: '926481', code: await stage.code(customer) });
    expect(await says('FACTOR_WRONG')).toBe(true);
    await stage.post(path, { answer: 'decline' });
    expect(await shown()).toEqual(['CONSENT_ANSWERED']);
    const late = await asked();
    stage.later(15 * MINUTE);
    expect(await shown(late.path)).toEqual([]);
  });

  test('an unknown, mistyped or replaced address is the same 404 page', async () => {
    const { path } = await asked();
    const pages = await Promise.all(
      [`${path}x`, path.slice(0, -1), `/consents/${'A'.repeat(43)}`, '/consents/%00', `/consents/${'x'.repeat(5000)}`].map((at) =>
        stage.get(at),
      ),
    );
    expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([404]));
    expect(new Set(pages.map(({ text }) => text)).size).toBe(1);
    expect(pages[0]?.text).toContain('链接不完整');
    expect((await stage.get('/consents/none', { 'accept-language': 'en' })).text).toContain('There is no such page');
    expect((await stage.post('/consents/none', { answer: 'decline' })).status).toBe(404);
    expect((await stage.post('/consents/none/code', {})).status).toBe(404);
  });

  test('what is no form, or a form too long, is told on a page too', async () => {
    const { path } = await asked();
    const json = await stage.api.call('POST', path, { body: { answer: 'approve' } });
    expect([json.status, json.headers['content-type']]).toEqual([415, 'text/html; charset=utf-8']);
    const long = await stage.post(path, { answer: 'approve', password: 'x'.repeat(5000) });
    expect([long.status, long.headers['content-type']]).toEqual([413, 'text/html; charset=utf-8']);
    const twice = await stage.api.call('POST', path, {
      body: 'answer=approve&password=285739&password=111222',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(twice.status).toBe(400);
    expect(twice.text).not.toContain('285739');
  });

  test('every form is answered with a way back to the page, so that a reload repeats nothing', async () => {
    const { path } = await asked({ needs: 'both' });
    const token = path.split('/').at(-1);
    expect((await stage.post(`${path}/code?lang=en`, {})).headers.location).toBe(`../${token}?lang=en&notice=CODE_SENT`);
    const wrong = await stage.post(`${path}?lang=en`, { answer: 'approve', password: '926481', code: '000000' });
    expect([wrong.status, wrong.headers.location]).toEqual([303, `${token}?lang=en&notice=FACTOR_WRONG`]);
    const page = (await stage.get(`${path}?lang=en&notice=FACTOR_WRONG`)).text;
    expect(page).toContain('2 attempts are left.');
    expect(page).toMatch(/role="alert" tabindex="-1" autofocus/);
    expect(page).toMatch(/id="password"[^>]*aria-invalid="true"/);
    const declined = await stage.post(`${path}?lang=zh`, { answer: 'decline' });
    expect(declined.headers.location).toBe(`${token}?lang=zh`);
  });

  test.each([
    ['declined', '已拒绝', { answer: 'decline' }],
    ['given', '已确认', { answer: 'approve', password: PASSWORD }],
  ])('once %s it says %s and asks nothing any more', async (_state, title, form) => {
    const { path } = await asked();
    await stage.post(path, form as unknown as Record<string, string>);
    const { text } = await stage.get(`${path}?lang=zh`);
    expect(text).toContain(title);
    expect(text).not.toMatch(/<form|<input|<button/);
    expect((await stage.get(`${path}?lang=zh&notice=CONSENT_ANSWERED`)).text).toContain('您此前已答复');
  });

  test('late and locked are told as such', async () => {
    const { path } = await asked();
    for (let attempt = 0; attempt < 3; attempt += 1) await stage.post(path, { answer: 'approve', password: '926481' });
    expect((await stage.get(`${path}?lang=zh`)).text).toContain('已锁定');
    const late = await asked();
    stage.later(15 * MINUTE);
    const { text } = await stage.get(`${late.path}?lang=zh`);
    expect(text).toContain('已过期');
    expect(text).not.toContain('<form');
    expect(SHOWN.title.zh).toBe('付款');
  });
});
