# The server in a container: not root, nothing of its file system to write to but /data.
#   docker build -t latchkey . && docker run --read-only -v latchkey:/data -p 127.0.0.1:8000:8000 -e JWT_SECRET_KEY=… latchkey
# This file was not run where it was written: no container engine was there.

FROM node:26-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
COPY tools ./tools
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm pack --ignore-scripts --pack-destination /tmp

# What is published, and nothing else.
FROM node:26-slim AS install
WORKDIR /app
COPY --from=build /tmp/latchkey-*.tgz /tmp/
RUN npm init --yes > /dev/null && npm install --omit=dev --ignore-scripts --no-audit --no-fund /tmp/latchkey-*.tgz

FROM node:26-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000 LATCHKEY_DATA_DIR=/data
COPY --from=install /app /app
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/node_modules/latchkey/dist/cli/main.js"]
CMD ["serve"]
