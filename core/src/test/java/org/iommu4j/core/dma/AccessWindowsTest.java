package org.iommu4j.core.dma;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class AccessWindowsTest {
  private final AccessWindows windows = new AccessWindows();

  @Test
  void draining_waits_for_a_window_of_another_thread() throws InterruptedException {
    Window window = windows.open();
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch leave = new CountDownLatch(1);
    AtomicBoolean left = new AtomicBoolean();
    Thread device =
        Thread.ofPlatform()
            .start(
                () -> {
                  window.enter();
                  inside.countDown();
                  try {
                    leave.await();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                  left.set(true);
                  window.exit();
                });
    inside.await();
    CountDownLatch drained = new CountDownLatch(1);
    Thread drainer =
        Thread.ofPlatform()
            .start(
                () -> {
                  windows.drain();
                  assertThat(left).isTrue();
                  drained.countDown();
                });
    assertThat(drained.await(50, TimeUnit.MILLISECONDS)).isFalse();
    leave.countDown();
    assertThat(drained.await(10, TimeUnit.SECONDS)).isTrue();
    device.join();
    drainer.join();
  }

  @Test
  void draining_does_not_wait_for_a_window_entered_afterwards() throws InterruptedException {
    // A device that is inside nearly always, but never for long.
    Window window = windows.open();
    AtomicBoolean stop = new AtomicBoolean();
    Thread device =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!stop.get()) {
                    window.enter();
                    window.exit();
                  }
                });
    for (int i = 0; i < 1_000; i++) {
      windows.drain();
    }
    stop.set(true);
    device.join();
  }

  @Test
  void a_thread_does_not_wait_for_itself() {
    Window window = windows.open();
    window.enter();
    windows.drain();
    window.exit();
  }

  @Test
  void a_closed_window_is_not_waited_for() throws InterruptedException {
    Window window = windows.open();
    Thread device = Thread.ofPlatform().start(window::enter);
    device.join();
    windows.close(window);
    windows.drain();
  }

  @Test
  void draining_nothing_returns() {
    windows.drain();
    windows.close(windows.open());
    windows.drain();
  }
}
