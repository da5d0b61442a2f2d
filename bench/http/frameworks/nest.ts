/**
 * NestJS on Express, its default, and the guard of its own documentation over @nestjs/jwt, with a key that was made once
 * and the synchronous call, which is the quicker one. Decorators are applied by hand: there is no compiler here that
 * knows them.
 */
import "reflect-metadata";
import {
  type CanActivate,
  Controller,
  type DynamicModule,
  type ExecutionContext,
  Get,
  Inject,
  Module,
  Req,
  type Type,
  UnauthorizedException,
  UseGuards,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { JwtModule, JwtService } from "@nestjs/jwt";
import { ExpressAdapter } from "@nestjs/platform-express";
import express, { type Request } from "express";
import {
  type Applications,
  HOST,
  JSONWEBTOKEN_CHECKS,
  listening,
  NO_AUTH,
  NO_OP,
  NOBODY,
  PATH,
} from "../application.ts";
import { guardedByOurs, type Who } from "../ours.ts";
import { shareKinds } from "./express.ts";

export const nest: Applications = {
  [NO_AUTH]: () => answering({ imports: [], guards: [], subjectOf: () => NOBODY }),

  [NO_OP]: () => answering({ imports: [], guards: [{ canActivate: () => true }], subjectOf: () => NOBODY }),

  ...guardedByOurs<typeof import("../../../src/adapters/nestjs.ts")>("latchkey/nestjs", ({ requireAuth }, source) =>
    answering({
      imports: [],
      guards: [requireAuth(source)],
      subjectOf: (request) => (request as { auth?: Who }).auth?.claims.sub,
    }),
  ),

  "@nestjs/jwt guard, KeyObject": ({ key }) => {
    const options = { secretOrKeyProvider: () => key as unknown as string, verifyOptions: JSONWEBTOKEN_CHECKS };
    return answering({
      imports: [JwtModule.register(options)],
      guards: [documentedGuard()],
      subjectOf: (request) => (request as { user?: { sub?: string } }).user?.sub,
    });
  },
};

/** As in the chapter on authentication of the documentation. */
function documentedGuard(): Type<CanActivate> {
  class AuthGuard implements CanActivate {
    readonly jwtService: JwtService;
    constructor(jwtService: JwtService) {
      this.jwtService = jwtService;
    }
    canActivate(context: ExecutionContext): boolean {
      const request = context.switchToHttp().getRequest<Request & { user?: unknown }>();
      const [type, token] = request.headers.authorization?.split(" ") ?? [];
      if (type !== "Bearer" || !token) throw new UnauthorizedException();
      try {
        request.user = this.jwtService.verify(token);
      } catch {
        throw new UnauthorizedException();
      }
      return true;
    }
  }
  Inject(JwtService)(AuthGuard, undefined, 0);
  return AuthGuard;
}

interface Parts {
  readonly imports: readonly (DynamicModule | Type)[];
  readonly guards: readonly (Type<CanActivate> | CanActivate)[];
  readonly subjectOf: (request: Request) => unknown;
}

async function answering({ imports, guards, subjectOf }: Parts): Promise<number> {
  class ProfileController {
    profile(request: Request): { sub: unknown } {
      return { sub: subjectOf(request) };
    }
  }
  class ApplicationModule {}
  const { prototype } = ProfileController;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, "profile")!;
  Req()(prototype, "profile", 0);
  Get(PATH)(prototype, "profile", descriptor);
  if (guards.length > 0) UseGuards(...guards)(prototype, "profile", descriptor);
  Controller()(ProfileController);
  Module({ imports: [...imports], controllers: [ProfileController] })(ApplicationModule);
  const underneath = express();
  shareKinds(underneath);
  const app = await NestFactory.create(ApplicationModule, new ExpressAdapter(underneath), { logger: false });
  await app.listen(0, HOST);
  return listening(app.getHttpServer());
}
