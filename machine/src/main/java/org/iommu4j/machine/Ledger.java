package org.iommu4j.machine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.driver.Capabilities;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.machine.description.Place;
import org.iommu4j.machine.description.PlatformDescription.Mapping;

/**
 * The books: what the drivers were asked for, by name. The units never see it; it is what reports
 * compare the tables with.
 */
public final class Ledger {
  /** A domain in the books. */
  public static final class Account {
    private final String name;
    private final Unit unit;
    private final Domain domain;
    private final List<Mapping> mappings = new ArrayList<>();

    Account(String name, Unit unit, Domain domain) {
      this.name = name;
      this.unit = unit;
      this.domain = domain;
    }

    /** The domain's name. */
    public String name() {
      return name;
    }

    /** The unit whose driver made it. */
    public Unit unit() {
      return unit;
    }

    /** The domain. */
    public Domain domain() {
      return domain;
    }

    /** What is mapped in it now. */
    public List<Mapping> mappings() {
      return List.copyOf(mappings);
    }
  }

  private record Requester(Endpoint endpoint, int pasid) {}

  private final Map<String, Account> accounts = new LinkedHashMap<>();
  private final Map<Requester, Account> attached = new LinkedHashMap<>();

  /** Buffers stay in the list when they are unmapped: who still reaches them is the question. */
  private final Map<String, Resource> buffers = new LinkedHashMap<>();

  private final List<InterruptTarget> targets;
  private final List<DeviceInterrupt> interrupts = new ArrayList<>();

  Ledger(List<InterruptTarget> targets) {
    this.targets = targets;
  }

  /** The domains. */
  public List<Account> accounts() {
    return List.copyOf(accounts.values());
  }

  /**
   * The domain of that name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Account account(String domain) {
    Account account = accounts.get(domain);
    if (account == null) {
      throw new IllegalArgumentException("no domain is called '" + domain + "'");
    }
    return account;
  }

  /** The interrupts of devices. */
  public List<DeviceInterrupt> interrupts() {
    return List.copyOf(interrupts);
  }

  /** What a device may reach with this PASID, by the books. */
  public List<Mapping> granted(Endpoint endpoint, int pasid) {
    Account account = attached.get(new Requester(endpoint, pasid));
    if (account == null) {
      return List.of();
    }
    List<Mapping> all = new ArrayList<>(account.mappings());
    Capabilities can = endpoint.unit().driver().capabilities();
    boolean translates = account.domain.type() == DomainType.DMA_STRICT;
    if (translates && pasid == DmaRequest.NO_PASID && !can.interruptRemapping()) {
      // Messages are writes: the driver has mapped the pages that they go to.
      int permissions = can.writeOnly() ? Access.WRITE : Access.READ | Access.WRITE;
      for (DeviceInterrupt i : interrupts) {
        if (i.endpoint().equals(endpoint)) {
          long page = i.message().address() & -InterruptTarget.BYTES;
          long size = InterruptTarget.BYTES;
          long pa = i.target().base();
          all.add(new Mapping(Place.START, i.name(), page, pa, size, permissions, null));
        }
      }
    }
    return all;
  }

  /** The type of the domain that a device is attached to with this PASID. */
  public DomainType typeOf(Endpoint endpoint, int pasid) {
    Account account = attached.get(new Requester(endpoint, pasid));
    return account == null ? DomainType.BLOCKED : account.domain.type();
  }

  /** The name of the domain that a device is attached to with this PASID; empty if to none. */
  public String domainOf(Endpoint endpoint, int pasid) {
    Account account = attached.get(new Requester(endpoint, pasid));
    return account == null ? "" : account.name();
  }

  List<Resource> buffers() {
    return List.copyOf(buffers.values());
  }

  void add(String name, Unit unit, Domain domain) {
    accounts.put(name, new Account(name, unit, domain));
  }

  void add(DeviceInterrupt interrupt) {
    interrupts.add(interrupt);
  }

  private Mapping resolved(Mapping m) {
    String wanted = m.target();
    return wanted == null
        ? m
        : m.to(
            targets.stream()
                .filter(t -> t.name().equals(wanted))
                .findFirst()
                .orElseThrow(
                    () ->
                        new IllegalArgumentException(
                            "no interrupt target is called '" + wanted + "'"))
                .base());
  }

  /**
   * Maps, and writes it down if the driver agrees. Where a unit cannot express "write only", as a
   * kernel does: read is granted, too.
   *
   * @return what was mapped
   */
  public Mapping map(Account account, Mapping asked) {
    boolean widened =
        asked.permissions() == Access.WRITE && !account.unit.driver().capabilities().writeOnly();
    Mapping m = resolved(widened ? asked.allowing(Access.READ | Access.WRITE) : asked);
    account.domain.map(m.iova(), m.pa(), m.size(), m.permissions());
    account.mappings.add(m);
    if (targets.stream().noneMatch(t -> t.base() == m.pa())) {
      Resource buffer =
          new Resource(m.name(), Resource.Kind.BUFFER, m.pa(), m.size(), account.name);
      boolean known =
          buffers.values().stream()
              .anyMatch(b -> b.base() == buffer.base() && b.size() == buffer.size());
      if (!known) {
        buffers.put(m.name(), buffer);
      }
    }
    return m;
  }

  /**
   * Unmaps, and writes it down.
   *
   * @return bytes that were mapped
   */
  public long unmap(Account account, long iova, long size) {
    long bytes = account.domain.unmap(iova, size);
    List<Mapping> rest = new ArrayList<>();
    for (Mapping m : account.mappings) {
      long before = Math.clamp(iova - m.iova(), 0, m.size());
      long after = Math.clamp(m.iova() + m.size() - (iova + size), 0, m.size());
      if (before + after >= m.size()) {
        rest.add(m);
        continue;
      }
      if (before > 0) {
        rest.add(m.part(0, before));
      }
      if (after > 0) {
        rest.add(m.part(m.size() - after, after));
      }
    }
    account.mappings.clear();
    account.mappings.addAll(rest);
    return bytes;
  }

  /** Attaches, and writes it down if the driver agrees. */
  public void attach(Account account, Endpoint endpoint, int pasid) {
    if (pasid == DmaRequest.NO_PASID) {
      account.domain.attach(endpoint.source());
    } else {
      account.domain.attach(endpoint.source(), pasid);
    }
    attached.put(new Requester(endpoint, pasid), account);
  }

  /**
   * Detaches, and writes it down.
   *
   * @throws IllegalStateException if nothing is attached
   */
  public void detach(Endpoint endpoint, int pasid) {
    Account account = attached.get(new Requester(endpoint, pasid));
    if (account == null) {
      throw new IllegalStateException(endpoint.label(pasid) + " is not attached to a domain");
    }
    if (pasid == DmaRequest.NO_PASID) {
      account.domain.detach(endpoint.source());
    } else {
      account.domain.detach(endpoint.source(), pasid);
    }
    attached.remove(new Requester(endpoint, pasid));
  }
}
