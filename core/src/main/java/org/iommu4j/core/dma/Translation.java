package org.iommu4j.core.dma;

import org.jspecify.annotations.Nullable;

/**
 * The answer to a request: a flyweight that the caller owns and reuses, one per thread.
 *
 * <p>After {@code translate} returned true: {@link #pa}, how far it is valid ({@link #rangeShift}),
 * what is granted and, for translation requests, the answer's attributes. After false: {@link
 * #reason} and {@link #completion}.
 */
public final class Translation {
  /** The translation leads to memory or a register page. */
  public static final int MEMORY = 0;

  /**
   * The translation leads to a message target that the unit itself serves (RISC-V: a
   * memory-resident interrupt file); see {@link Iommu#writeMessage}.
   */
  public static final int MESSAGE = 1;

  // An answer in one word, so that a cache can keep it and a hit stores it whole: the range's shift
  // in bits 7:0, permissions in 15:8, the target in bit 16, the memory type in 63:32.
  private static final int PERMISSIONS = 8;
  private static final int TARGET = 16;
  private static final int TYPE = 32;

  // Written on every hit; the rest on the paths that need it.
  private long pa;
  private long answer;
  private Completion completion = Completion.SUCCESS;
  private @Nullable FaultReason reason;
  private long detail;
  private boolean global;
  private boolean privileged;
  private boolean untranslatedOnly;
  private boolean cxlIo;
  private long messageAddress;
  private long noticeAddress;
  private int noticeData;
  private @Nullable Object workspace;

  /** A translation with nothing in it. */
  public Translation() {}

  /** The translated address, page offset included. */
  public long pa() {
    return pa;
  }

  /** The translation holds for the naturally aligned {@code 2^rangeShift} bytes around the IOVA. */
  public int rangeShift() {
    return (int) answer & 0xff;
  }

  /** What is granted: {@link Access#READ}, WRITE, EXECUTE. */
  public int permissions() {
    return (int) answer >>> PERMISSIONS & 0xff;
  }

  /** The memory type, the architecture's own code; 0 is the default of the memory itself. */
  public int memoryType() {
    return (int) (answer >>> TYPE);
  }

  /** {@link #MEMORY} or {@link #MESSAGE}. */
  public int target() {
    return (int) answer >>> TARGET & 1;
  }

  /** How the request ended. */
  public Completion completion() {
    return completion;
  }

  /** Why it was blocked; null if it was not. */
  public @Nullable FaultReason reason() {
    return reason;
  }

  /** The second address that the unit reports with the fault (guest-physical); 0 if none. */
  public long detail() {
    return detail;
  }

  /** ATS: the translation is the same for all PASIDs of the requester. */
  public boolean global() {
    return global;
  }

  /** ATS: permissions are those of privileged mode. */
  public boolean privileged() {
    return privileged;
  }

  /** ATS: the device must use untranslated requests for this range (U). */
  public boolean untranslatedOnly() {
    return untranslatedOnly;
  }

  /** ATS: a CXL device must use CXL.io for this range. */
  public boolean cxlIo() {
    return cxlIo;
  }

  /** Target MESSAGE: the address of the message file. */
  public long messageAddress() {
    return messageAddress;
  }

  /** Target MESSAGE: where the notice goes. */
  public long noticeAddress() {
    return noticeAddress;
  }

  /** Target MESSAGE: the notice's data. */
  public int noticeData() {
    return noticeData;
  }

  // What models write.

  /** What is said about the address of an access to memory, in one word for {@link #grant}. */
  public static long answer(int shift, int granted, int type) {
    return shift | (long) granted << PERMISSIONS | (long) type << TYPE;
  }

  /** Whether an {@link #answer} grants all of READ, WRITE and EXECUTE that an access asks for. */
  public static boolean grants(long answer, int access) {
    return (access & ~(int) (answer >>> PERMISSIONS) & 7) == 0;
  }

  /** The common answer: memory, granted. */
  public void grant(long address, long word) {
    pa = address;
    answer = word;
    // A reference written is a barrier of the garbage collector: only where there is something to
    // take back. What is blocked has a reason.
    if (reason != null) {
      completion = Completion.SUCCESS;
      reason = null;
    }
  }

  /** The common answer, piece by piece. */
  public void grant(long address, int shift, int granted, int type) {
    grant(address, answer(shift, granted, type));
  }

  /** The answer's attributes of a translation request. */
  public void attributes(
      boolean isGlobal, boolean isPrivileged, boolean isUntranslatedOnly, boolean isCxlIo) {
    global = isGlobal;
    privileged = isPrivileged;
    untranslatedOnly = isUntranslatedOnly;
    cxlIo = isCxlIo;
  }

  /** The translation leads to a message target. */
  public void grantMessage(long file, long notice, int data, int granted, int type) {
    grant(0, answer(12, granted, type) | (long) MESSAGE << TARGET);
    messageAddress = file;
    noticeAddress = notice;
    noticeData = data;
  }

  /** The request is blocked. */
  public void block(Completion how, FaultReason why, long secondAddress) {
    pa = 0;
    answer = 0;
    completion = how;
    reason = why;
    detail = secondAddress;
  }

  /**
   * Scratch memory that a unit keeps with its caller's flyweight, so that a walk allocates nothing
   * and threads share nothing. Only the unit that put it there looks at it.
   */
  public @Nullable Object workspace() {
    return workspace;
  }

  /** Puts the unit's scratch memory in place of what was there. */
  public void workspace(@Nullable Object value) {
    workspace = value;
  }
}
