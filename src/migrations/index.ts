import { Books1700000000001 } from './0001-books.js';
import { Orders1700000000002 } from './0002-orders.js';
import { Platforms1700000000003 } from './0003-platforms.js';
import { Accounts1700000000004 } from './0004-accounts.js';
import { Calendar1700000000005 } from './0005-calendar.js';
import { Days1700000000006 } from './0006-days.js';
import { Customers1700000000007 } from './0007-customers.js';
import { Consents1700000000008 } from './0008-consents.js';
import { Profiles1700000000009 } from './0009-profiles.js';
import { Sealing1700000000010 } from './0010-sealing.js';
import { Parties1700000000011 } from './0011-parties.js';
import { Interest1700000000012 } from './0012-interest.js';
import { Openings1700000000013 } from './0013-openings.js';
import { Incoming1700000000014 } from './0014-incoming.js';
import { CodeLimits1700000000015 } from './0015-code-limits.js';
import { Agreements1700000000016 } from './0016-agreements.js';
import { Backgrounds1700000000017 } from './0017-backgrounds.js';
import { Refunds1700000000018 } from './0018-refunds.js';
import { Holds1700000000019 } from './0019-holds.js';
import { Suspense1700000000020 } from './0020-suspense.js';
import { Batches1700000000021 } from './0021-batches.js';
import { Reviews1700000000022 } from './0022-reviews.js';
import { Escrow1700000000023 } from './0023-escrow.js';
import { BoundAnswers1700000000024 } from './0024-bound-answers.js';
import { Collections1700000000025 } from './0025-collections.js';
import { Routes1700000000026 } from './0026-routes.js';
import { ChannelTerms1700000000027 } from './0027-channel-terms.js';
import { MoneyIn1700000000028 } from './0028-money-in.js';
import { Floats1700000000029 } from './0029-floats.js';
import { UnreadMessages1700000000030 } from './0030-unread-messages.js';
import { PayTerms1700000000031 } from './0031-pay-terms.js';
import { ClearingRuns1700000000032 } from './0032-clearing-runs.js';
import { Cases1700000000033 } from './0033-cases.js';
import { CustodyProofs1700000000034 } from './0034-custody-proofs.js';
import { Reporting1700000000035 } from './0035-reporting.js';
import { Supervision1700000000036 } from './0036-supervision.js';
import { WindingUp1700000000037 } from './0037-winding-up.js';
import { NotNow1700000000038 } from './0038-not-now.js';
import { OwedSlices1700000000039 } from './0039-owed-slices.js';
import { FilesAndTransfers1700000000040 } from './0040-files-and-transfers.js';
import { TwoPeople1700000000041 } from './0041-two-people.js';
import { Lending1700000000043 } from './0043-lending.js';
import { LendingClaims1700000000044 } from './0044-lending-claims.js';
import { Funds1700000000045 } from './0045-funds.js';
import { FundFiles1700000000046 } from './0046-fund-files.js';
import { CompensationsByPayer1700000000049 } from './0049-compensations-by-payer.js';

export { shippedCalendar } from './0005-calendar.js';

/** Forward only, in this order. Every class is listed: no globs, so that tests, CLI and processes see the same. */
export const migrations = [
  Books1700000000001,
  Orders1700000000002,
  Platforms1700000000003,
  Accounts1700000000004,
  Calendar1700000000005,
  Days1700000000006,
  Customers1700000000007,
  Consents1700000000008,
  Profiles1700000000009,
  Sealing1700000000010,
  Parties1700000000011,
  Interest1700000000012,
  Openings1700000000013,
  Incoming1700000000014,
  CodeLimits1700000000015,
  Agreements1700000000016,
  Backgrounds1700000000017,
  Refunds1700000000018,
  Holds1700000000019,
  Suspense1700000000020,
  Batches1700000000021,
  Reviews1700000000022,
  Escrow1700000000023,
  BoundAnswers1700000000024,
  Collections1700000000025,
  Routes1700000000026,
  ChannelTerms1700000000027,
  MoneyIn1700000000028,
  Floats1700000000029,
  UnreadMessages1700000000030,
  PayTerms1700000000031,
  ClearingRuns1700000000032,
  Cases1700000000033,
  CustodyProofs1700000000034,
  Reporting1700000000035,
  Supervision1700000000036,
  WindingUp1700000000037,
  NotNow1700000000038,
  OwedSlices1700000000039,
  FilesAndTransfers1700000000040,
  TwoPeople1700000000041,
  Lending1700000000043,
  LendingClaims1700000000044,
  Funds1700000000045,
  FundFiles1700000000046,
  CompensationsByPayer1700000000049,
];
