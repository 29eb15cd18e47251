/**
 * Lets a command's process give memory back that it frees. glibc keeps freed pieces of up to 32 MB for itself, which under a memory
 * budget would be up to a fifth of it, and reads its settings as a process begins. So the command starts itself once more with
 * one by which larger pieces go back at once.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";

const setting = { MALLOC_MMAP_THRESHOLD_: String(4 << 20) };

/** Whether the command line asks for what this is for, on a system that has the setting, and it is not made yet. */
export const wantsReturningMemory = (args: readonly string[]): boolean =>
  process.platform === "linux" &&
  process.env.MALLOC_MMAP_THRESHOLD_ === undefined &&
  args.some((arg) => arg.startsWith("--memory-budget"));

/** Runs the command in a process of that kind; gives its exit status. */
export function runReturningMemory(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, ...args], {
      env: { ...process.env, ...setting },
      stdio: ["inherit", "inherit", "inherit", "ipc"],
    });
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.on(signal, () => {
        // A terminal's Ctrl-C reaches both.
        if (signal === "SIGTERM" || !process.stdin.isTTY) child.kill(signal);
      });
    child.on("error", reject);
    child.on("close", (status, signal) => resolve(status ?? 128 + constants.signals[signal!]));
  });
}

/** Ends this process where it was started so and the one that started it is gone. */
export function endWithStarter(): void {
  if (process.channel === undefined || process.env.MALLOC_MMAP_THRESHOLD_ !== setting.MALLOC_MMAP_THRESHOLD_) return;
  process.channel.unref();
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
}
