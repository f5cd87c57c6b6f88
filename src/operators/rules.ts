/** The bank's staff: which role may do what. Pure. */
export const ROLES = ['operator', 'reviewer', 'auditor', 'administrator', 'compliance'] as const;
export type Role = (typeof ROLES)[number];

const READING = ['platforms.read', 'accounts.read', 'instructions.read', 'payouts.read', 'days.read', 'breaks.read'] as const;
const CUSTOMERS = ['customers.read', 'customers.write'] as const;

/**
 * The operator runs the days; the reviewer reads and closes breaks; the auditor reads everything and writes nothing; the
 * administrator manages staff, platforms and keys, moves no money and sees no customers. What is suspected of a customer, and what authorities are
 * told of him, only compliance (反洗钱岗) works on, and only it opens his particulars for them.
 */
export const PERMISSIONS = {
  operator: [
    ...READING,
    ...CUSTOMERS,
    'freezes.write',
    'floats.write',
    ...([
      'instructions.write',
      'payouts.write',
      'days.write',
      'clearings.write',
      'late-corrections.write',
      'breaks.write',
      'suspense.write',
      'acquirers.write',
      'agreements.write',
      'reviews.write',
      'escrow.write',
      'lending.write',
      'funds.write',
      'wind-downs.write',
      'sandbox.write',
    ] as const),
  ],
  reviewer: [
    ...READING,
    ...CUSTOMERS,
    'reviews.write',
    'clearings.write',
    'late-corrections.write',
    'freezes.write',
    'floats.write',
    'breaks.write',
    'suspense.write',
    'acquirers.write',
    'agreements.write',
    'escrow.write',
    'lending.write',
    'funds.write',
    'wind-downs.write',
  ],
  auditor: [...READING, 'customers.read', 'operators.read', 'audit.read', 'supervision.read'],
  administrator: [...READING, 'platforms.write', 'operators.read', 'operators.write', 'audit.read', 'sandbox.write'],
  compliance: [...READING, 'customers.read', 'supervision.read', 'supervision.write', 'supervision.export'],
} as const satisfies Record<Role, readonly string[]>;

export function permissionsOf(roles: readonly Role[]): ReadonlySet<(typeof PERMISSIONS)[Role][number]> {
  return new Set(roles.flatMap((role) => PERMISSIONS[role]));
}

/** The stored form: sorted, without repeats. */
export function rolesToText(roles: readonly Role[]): string {
  return [...new Set(roles)].sort().join(',');
}

export function rolesOf(text: string): Role[] {
  return text.split(',').filter((role): role is Role => (ROLES as readonly string[]).includes(role));
}
