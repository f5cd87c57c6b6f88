import { type AppParts, allRoutes } from '../../src/app.js';
import { PERMISSIONS, permissionsOf, ROLES } from '../../src/operators/rules.js';
import type { Permission, Route, StartedRuntime } from '../../src/runtime/index.js';
import { documentOf, table } from './markdown.js';

/** Routes are data: they are listed without a database, and none is called. */
function operatorRoutes(): Route[] {
  const runtime = { config: { REDIS_PREFIX: 'docs' } } as unknown as StartedRuntime;
  return allRoutes(runtime, {} as AppParts).filter(({ audience }) => audience === 'operator');
}

const call = ({ method, path }: Route) => `\`${method} ${path}\``;

export function permissionsPage(): string {
  const routes = operatorRoutes();
  const names = [...new Set(ROLES.flatMap((role): Permission[] => [...PERMISSIONS[role]]))].sort();
  const matrix = names.map((name) => [`\`${name}\``, ...ROLES.map((role) => (permissionsOf([role]).has(name) ? 'yes' : ''))]);
  const needing = (name: Permission | undefined) => routes.filter(({ permission }) => permission === name);
  const opened = names.flatMap((name) => needing(name).map((of) => [`\`${name}\``, call(of), `${of.summary} ${of.summaryZh}`]));
  const everybody = needing(undefined).map(call);
  return documentOf(
    'Permissions 权限',
    "What the bank's staff may do. Whoever has several roles has the permissions of all of them. The roles stand in `src/operators/rules.ts`; " +
      'each route names the permission that it needs.',
    '## Which role has which permission 角色与权限',
    table(['permission', ...ROLES], matrix),
    '## What a permission opens 权限与接口',
    table(['permission', 'call', 'what it does'], opened),
    ...(everybody.length === 0 ? [] : [`Any member of staff may call ${everybody.join(', ')}.`]),
  );
}
