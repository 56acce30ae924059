import EventLoop
import Glibc
import Synchronization
import Testing

@Suite struct ThreadTests {
  @Test func joiningWaitsForTheBody() throws {
    let done = Shared(false)
    let thread = try WorkerThread(name: "worker") { done.set(true) }
    thread.join()
    #expect(done.value)
    thread.join()  // a second time is nothing
  }

  @Test(arguments: [("worker-3", "worker-3"), ("a-name-longer-than-15", "a-name-longer-t")])
  func theKernelKnowsItsName(_ given: String, _ shown: String) throws {
    let name = Shared("")
    let thread = try WorkerThread(name: given) {
      var text = [UInt8](repeating: 0, count: 64)
      let file = unsafe open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC)
      let count = unsafe read(file, &text, text.count)
      close(file)
      name.set(String(decoding: text.prefix(max(0, count - 1)), as: UTF8.self))
    }
    thread.join()
    #expect(name.value == shown)
  }

  @Test func noSignalReachesIt() throws {
    let blocked = Shared<[Int32]>([])
    let thread = try WorkerThread(name: "worker") {
      var mask = sigset_t()
      _ = unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
      blocked.set([SIGTERM, SIGINT, SIGHUP, SIGUSR1].filter { unsafe sigismember(&mask, $0) == 1 })
    }
    thread.join()
    #expect(blocked.value == [SIGTERM, SIGINT, SIGHUP, SIGUSR1])
    var mine = sigset_t()
    _ = unsafe pthread_sigmask(SIG_BLOCK, nil, &mine)
    // The pool that runs tests blocks most signals by itself, but not this one.
    #expect(unsafe sigismember(&mine, SIGSEGV) == 0, "the starting thread keeps its own mask")
  }

  /// In a child process: the mask and the signals are the process's.
  @Test func signalsAreRead() async {
    await #expect(processExitsWith: .success) {
      let source = try SignalSource([SIGUSR1, SIGUSR2])
      guard source.read() == [] else { exit(2) }
      guard pthread_kill(pthread_self(), SIGUSR2) == 0 else { exit(3) }
      guard readiness(of: source.descriptor).contains(.readable) else { exit(4) }
      guard source.read() == [SIGUSR2], source.read() == [] else { exit(5) }
      exit(0)
    }
  }

  @Test func aClosedPipeIsAnErrorAfterIgnoringSIGPIPE() async {
    await #expect(processExitsWith: .success) {
      SignalSource.ignoreWriteSignals()
      var ends: [Int32] = [0, 0]
      guard unsafe pipe(&ends) == 0, close(ends[0]) == 0 else { exit(2) }
      guard unsafe write(ends[1], "x", 1) == -1, errno == EPIPE else { exit(3) }
      exit(0)
    }
  }

  @Test func aFileThatMayNotGrowIsAnErrorAfterIgnoringSIGXFSZ() async {
    await #expect(processExitsWith: .success) {
      SignalSource.ignoreWriteSignals()
      // The runtime's own threads block it.
      var set = sigset_t()
      _ = unsafe sigemptyset(&set)
      _ = unsafe sigaddset(&set, SIGXFSZ)
      guard unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil) == 0 else { exit(6) }
      var limit = rlimit(rlim_cur: 1, rlim_max: 1)
      guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
      let path = "/tmp/countersign-bounded-\(getpid())"
      let file = unsafe open(path, O_CREAT | O_EXCL | O_RDWR, 0o600)
      guard file >= 0, unsafe unlink(path) == 0 else { exit(5) }
      guard unsafe write(file, "xy", 2) == 1 else { exit(3) }
      guard unsafe write(file, "z", 1) == -1, errno == EFBIG else { exit(4) }
      exit(0)
    }
  }

  @Test func anUnknownSignalIsRefused() {
    #expect(throws: SystemError(call: "sigaddset", code: EINVAL)) { try SignalSource([4_711]) }
  }

  #if DEBUG
    @Test func aLeakedDescriptorIsLoud() async {
      await #expect(processExitsWith: .failure) {
        let number = dup(2)
        _ = Descriptor(adopting: number)
      }
    }

    @Test func aThreadWithoutAnOwnerIsLoud() async {
      await #expect(processExitsWith: .failure) {
        _ = try WorkerThread(name: "worker") {}
      }
    }
  #endif
}

/// A value that two threads hand over.
private final class Shared<Value: Sendable>: Sendable {
  private let stored: Mutex<Value>
  init(_ value: Value) { stored = Mutex(value) }
  func set(_ value: Value) { stored.withLock { $0 = value } }
  var value: Value { stored.withLock { $0 } }
}
