# One image for the API, the worker, the migrations and the bank simulator; docker-compose.yml says which runs where.
# No key is in the image: VAULT_KEYS and VAULT_INDEX_KEY are given to the processes when they start (docs/config.md).
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/scripts/cunguan.mjs ./scripts/cunguan.mjs
USER node
EXPOSE 8080
CMD ["node", "--enable-source-maps", "dist/src/main.js"]
