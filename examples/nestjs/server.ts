/** NestJS: `npm run example:nestjs`, which compiles it first: Node does not run decorators. */
import "reflect-metadata";
import { Body, Controller, Get, HttpException, Inject, Injectable, Module, Post } from "@nestjs/common";
import { APP_GUARD, NestFactory } from "@nestjs/core";
import { AuthGuard, AuthModule, CurrentAuth, type Guarded, Public, RequireAuth } from "latchkey/nestjs";
import { auth } from "../auth.ts";
import { addNote, countNotes, notesOf } from "../notes.ts";

type Who = Guarded<typeof auth>;

@Injectable()
class Notes {
  readonly of = notesOf;
  readonly add = addNote;
  readonly count = countNotes;
}

@Controller()
class NotesController {
  constructor(@Inject(Notes) private readonly notes: Notes) {}

  @Public()
  @Get()
  async hello(@CurrentAuth() who: Who | undefined) {
    const user = await who?.user();
    return { hello: user?.username ?? "stranger" };
  }

  @Get("notes")
  list(@CurrentAuth() who: Who) {
    return { notes: this.notes.of(who.userId) };
  }

  @Post("notes")
  add(@CurrentAuth() who: Who, @Body() body: { text?: unknown } | undefined) {
    const notes = this.notes.add(who.userId, body?.text);
    if (!notes) throw new HttpException({ error: "text: 1 to 200 characters" }, 422);
    return { notes };
  }

  @RequireAuth({ roles: ["staff"] })
  @Get("statistics")
  statistics(@CurrentAuth() who: Who) {
    return { notes: this.notes.count(), askedBy: who.claims.roles };
  }
}

@Module({
  imports: [AuthModule.forRoot(auth, { prefix: "/auth" })],
  controllers: [NotesController],
  providers: [Notes, { provide: APP_GUARD, useClass: AuthGuard }],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ["error", "warn"] });
await app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
console.log(`NestJS listens on ${await app.getUrl()}`);
