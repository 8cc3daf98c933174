package org.iommu4j.driver.support;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.driver.DomainType;
import org.jspecify.annotations.Nullable;

/**
 * Who is attached to which domain, what each brings along, and how it gets from one domain to
 * another. Guarded by the driver's lock.
 *
 * @param <T> what the architecture keeps with a domain
 */
final class Attachments<T> {
  private final Map<Attachment, ManagedDomain<T>> users = new HashMap<>();

  /** What devices have mapped besides their direct regions, see {@link #fix}. */
  private final DeviceFixtures fixed = new DeviceFixtures();

  /** The domain of a device, or of its requests with one PASID; null: attached to nothing. */
  @Nullable ManagedDomain<T> of(Attachment who) {
    return users.get(who);
  }

  /** The domain of a device's requests without PASID; null: attached to nothing. */
  @Nullable ManagedDomain<T> of(int source) {
    return users.get(new Attachment(source, DmaRequest.NO_PASID));
  }

  /** All that are attached. */
  List<Attachment> all() {
    return List.copyOf(users.keySet());
  }

  /** The devices that can reach something, each once, in ascending order. */
  List<Integer> sources() {
    TreeSet<Integer> sources = new TreeSet<>();
    users.forEach(
        (who, domain) -> {
          if (domain.type() != DomainType.BLOCKED) {
            sources.add(who.source());
          }
        });
    return List.copyOf(sources);
  }

  /**
   * Attaches to another domain.
   *
   * @param driver moves it in hardware
   * @param blocked the domain of those that are attached to nothing
   */
  void move(BaseDriver<T> driver, Attachment who, ManagedDomain<T> to, ManagedDomain<T> blocked) {
    ManagedDomain<T> from = users.getOrDefault(who, blocked);
    if (users.get(who) == to) {
      return;
    }
    driver.checkMove(who, to);
    // There before the device can come, and until it has gone.
    List<Fixture> brought = fixtures(driver, who);
    DeviceFixtures.hold(to, brought);
    // Known to the new domain before hardware knows it, and to the old one until it has forgotten:
    // an unmap meanwhile must find every cache that may hold the page.
    to.add(who);
    try {
      driver.move(who, from, to);
    } catch (RuntimeException e) {
      to.remove(who);
      DeviceFixtures.release(to, brought, e);
      forsake(driver, who.source(), e);
      throw e;
    }
    from.remove(who);
    users.put(who, to);
    brought.forEach(from::release);
  }

  /** Detaches: as before it was attached anywhere. */
  void detach(BaseDriver<T> driver, Attachment who, ManagedDomain<T> blocked) {
    move(driver, who, blocked, blocked);
    ManagedDomain<T> now = users.remove(who);
    if (now != null) {
      now.remove(who);
    }
  }

  /** A device that could not be moved is attached to nothing. */
  private void forsake(BaseDriver<T> driver, int source, RuntimeException cause) {
    for (Attachment who : all()) {
      ManagedDomain<T> domain = who.source() == source ? users.remove(who) : null;
      if (domain != null) {
        domain.remove(who);
        DeviceFixtures.release(domain, fixtures(driver, who), cause);
      }
    }
  }

  private List<Fixture> fixtures(BaseDriver<T> driver, Attachment who) {
    return fixed.of(who, driver.reservedRegions(who.source()));
  }

  /**
   * Maps something for a device, in the domain that it is in and in all that it will be in.
   *
   * @throws IllegalStateException if something else is mapped there; nothing is changed then
   */
  void fix(int source, Fixture f) {
    ManagedDomain<T> domain = of(source);
    if (domain != null) {
      domain.hold(f);
    }
    fixed.add(source, f);
  }

  /**
   * It is not mapped any more.
   *
   * @param unmap false if the driver is closed, and everything with it
   */
  void unfix(int source, Fixture f, boolean unmap) {
    ManagedDomain<T> domain = of(source);
    if (fixed.remove(source, f) && unmap && domain != null) {
      domain.release(f);
    }
  }
}
