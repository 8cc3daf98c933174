package org.iommu4j.amdvi.model;

import org.jspecify.annotations.Nullable;

/**
 * Whose commands are executed when. The unit's own buffer and all those of guests have one number
 * of commands per register access between them: however many there are, and however full, nobody
 * holds the unit up for longer. The rest follows with the next accesses. Command lock held.
 *
 * <p>A device may answer an invalidation at once, from inside a command. What it waited for is then
 * executed when that command is done, and not inside it: else each buffer could lead to the next,
 * as deep as there are guests.
 */
final class CommandTurns {
  /** As many as the longest buffer has: 2^15. */
  static final int BATCH = 1 << 15;

  private final CommandBuffer own;
  private final VirtualIommus guests;
  private boolean running;

  /** A device answered from inside a command: whoever waited for it can go on. */
  private boolean again;

  /** Commands may be queued that nobody waits for: from the start, too, in a restored unit. */
  private boolean leftOver = true;

  CommandTurns(CommandBuffer own, VirtualIommus guests) {
    this.own = own;
    this.guests = guests;
  }

  /** Executes what is queued. */
  void run() {
    run(null, true);
  }

  /** Executes what a guest has queued. */
  void run(GuestIommu guest) {
    run(guest, false);
  }

  /** Executes what earlier accesses left over. */
  void resume() {
    run(null, false);
  }

  private void run(@Nullable GuestIommu first, boolean all) {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      int left = BATCH;
      if (first != null) {
        left -= guests.run(first, left);
      }
      boolean more = all || leftOver;
      while ((more || again) && left > 0) {
        more = false;
        again = false;
        left -= own.run(left);
        left -= guests.run(left);
      }
      leftOver = left <= 0;
    } finally {
      running = false;
    }
    guests.sendInterrupts();
  }
}
