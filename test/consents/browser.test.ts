import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { requireBrowser } from '../../scripts/services/packages.mjs';
import { type ConsentStage, openStage, PASSWORD } from './stage.js';

/** The hosted page in a real browser, as a customer has it on a phone. The pictures stay in test-output/. */
const PICTURES = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'test-output');
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
  timezoneId: 'Asia/Shanghai',
};
const FINGER = 44; // CSS pixels

let stage: ConsentStage;
let browser: Browser;
const contexts: BrowserContext[] = [];
beforeAll(async () => {
  const executablePath = await requireBrowser();
  mkdirSync(PICTURES, { recursive: true });
  stage = await openStage();
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  process.stdout.write(`Pictures of the hosted pages: ${PICTURES}\n`);
}, 900_000);
afterAll(async () => {
  for (const context of contexts) await context.close();
  await browser?.close();
  await stage?.stop();
});

interface Seen {
  readonly page: Page;
  /** What a person reads. */
  text(): Promise<string>;
  picture(name: string): Promise<void>;
}

async function open(path: string, options: BrowserContextOptions): Promise<Seen> {
  const context = await browser.newContext({ ...PHONE, ...options });
  contexts.push(context);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('request', (request) => {
    if (!request.url().startsWith(stage.api.url)) complaints.push(`it asks for ${request.url()}`);
  });
  expect((await page.goto(stage.api.url + path))?.status()).toBe(200);
  expect(complaints).toEqual([]);
  return {
    page,
    text: () => page.evaluate<string>('document.body.innerText'),
    async picture(name) {
      await page.screenshot({ path: join(PICTURES, `consent-${name}.png`), fullPage: true });
    },
  };
}

/** Nothing sticks out sideways, and whatever is to be touched is as large as a finger. */
async function expectFitForAPhone(page: Page): Promise<void> {
  const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  const heights = "[...document.querySelectorAll('button, input, header a')].map((each) => each.getBoundingClientRect().height)";
  const targets = await page.evaluate<number[]>(heights);
  expect(wide).toBeLessThanOrEqual(0);
  for (const height of targets) expect(height).toBeGreaterThanOrEqual(FINGER);
}

describe('a customer with a phone', () => {
  test('reads what will happen, mistypes, is told, gives code and password, and sees that it is done', async () => {
    const customer = await stage.customer({ password: PASSWORD });
    const { path, consent } = await stage.ask(customer, { needs: 'both' });
    const { page, text, picture } = await open(path, { locale: 'zh-CN', javaScriptEnabled: false });
    expect(await page.title()).toBe('付款 · 存管');
    for (const shown of [
      ...['付款', '¥123,456.78', '人民币壹拾贰万叁仟肆佰伍拾陆元柒角捌分'],
      ...['甲平台', '乙商户', 'ORD-1', '915600*********1234', '交易密码', '短信验证码', '139****'],
    ])
      expect(await text()).toContain(shown);
    await picture('1-asked');

    await page.getByRole('button', { name: '获取验证码' }).click();
    expect(await page.getByRole('status').textContent()).toContain('验证码已发送');
    await picture('2-code-sent');
    const code = await stage.code(customer);

    await page.getByLabel('短信验证码').fill(code);
    await page.getByLabel('交易密码').fill('926481');
    await page.getByRole('button', { name: '确认' }).click();
    const alert = page.getByRole('alert');
    expect(await page.locator('[aria-invalid]').count()).toBe(2);
    expect(await alert.textContent()).toMatch(/交易密码或验证码错误。\s*还可以尝试2次。/);
    await picture('3-wrong');
    await page.reload();
    expect(await alert.textContent()).toContain('还可以尝试2次');

    await page.getByLabel('短信验证码').fill(code);
    await page.getByLabel('交易密码').fill(PASSWORD);
    await page.getByRole('button', { name: '确认' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('已确认');
    expect(await text()).toContain('银行正在办理');
    await picture('4-given');
    expect((await stage.consent(consent)).state).toBe('given');

    await page.reload();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('已确认');
    expect(await page.locator('form').count()).toBe(0);
    expect(await stage.consent(consent)).toMatchObject({ state: 'given', attempts: 2 });
  });

  test('says no', async () => {
    const customer = await stage.customer({ password: PASSWORD });
    const { path, consent } = await stage.ask(customer);
    const { page, text, picture } = await open(path, { locale: 'zh-CN' });
    await expectFitForAPhone(page);
    await page.getByRole('button', { name: '拒绝' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('已拒绝');
    expect(await text()).toContain('银行不会办理这笔业务');
    await picture('5-declined');
    expect((await stage.consent(consent)).state).toBe('declined');
  });

  test('reads English, with the keyboard alone, and is led to what was wrong', async () => {
    const customer = await stage.customer({ password: PASSWORD });
    const { path, consent } = await stage.ask(customer);
    const { page, text, picture } = await open(path, { locale: 'en-GB' });
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    for (const shown of ['Payment', '¥123,456.78', 'Platform', 'Your account', 'Trade password'])
      expect(await text()).toContain(shown);
    await expectFitForAPhone(page);
    await picture('6-english');

    await page.getByLabel('Trade password').focus();
    await page.keyboard.type('926481');
    await page.keyboard.press('Enter');
    await page.waitForURL(/notice=FACTOR_WRONG/);
    expect(await page.evaluate<string>("document.activeElement.getAttribute('role')")).toBe('alert');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('password');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => !url.search.includes('notice'));
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Confirmed');
    await picture('7-english-given');
    expect((await stage.consent(consent)).state).toBe('given');
  });

  test('turns the page to the other language and back', async () => {
    const { path } = await stage.ask(await stage.customer({ password: PASSWORD }));
    const { page } = await open(path, { locale: 'zh-CN' });
    await page.getByRole('link', { name: 'English' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Payment');
    await page.getByRole('link', { name: '中文' }).click();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('付款');
  });

  test('sets his trade password', async () => {
    const customer = await stage.customer();
    const { body } = await stage.api.signed(stage.platform, 'POST', `/v1/users/usr_${customer.userId}/password-link`);
    const { page, picture } = await open(new URL(body.consent.url).pathname.replace('/pages', ''), { locale: 'zh-CN' });
    await page.getByRole('button', { name: '获取验证码' }).click();
    const code = await stage.code(customer);
    const fill = async (password: string) => {
      await page.getByLabel('短信验证码').fill(code);
      await page.getByLabel('新交易密码').fill(password);
      await page.getByLabel('再次输入新密码').fill(password);
      await page.getByRole('button', { name: '确认' }).click();
    };
    await fill('123456');
    expect(await page.getByRole('alert').textContent()).toContain('过于简单');
    await expectFitForAPhone(page);
    await picture('8-password');
    await fill(PASSWORD);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('交易密码已设置');
    await picture('9-password-set');
  });
});
