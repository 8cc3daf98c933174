package org.iommu4j.driver;

import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/**
 * Something worth measuring that only an architecture itself can set up, because it takes raw
 * tables or registers. Found through {@link ServiceLoader}; what the portable API can do is
 * measured for every architecture without its help.
 */
public interface Workload {
  /** The architecture's id. */
  String architecture();

  /** The figure's name, without the architecture: {@code nested-random-4096}. */
  String name();

  /** One line for people: what one operation is. */
  String description();

  /** Sets everything up, in memory of its own. */
  Run open();

  /** Starts and stops the time. */
  interface Clock {
    /** From here on time and allocation count. */
    void start();

    /** From here on they do not. */
    void stop();
  }

  /** A workload that is set up. */
  interface Run extends AutoCloseable {
    /**
     * Carries out so many operations, between {@code clock.start()} and {@code clock.stop()}; what
     * only restores the state for the next round is done outside of them.
     */
    void run(int operations, Clock clock);

    /**
     * What the operation cannot do without, alone, to compare it with: the loads of the entries
     * that a walk reads. Null if there is no such thing.
     */
    default @Nullable Run bare() {
      return null;
    }

    @Override
    void close();
  }
}
