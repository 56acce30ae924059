import Glibc
import Testing

@testable import EventLoop

@Suite struct ProcessLimitsTests {
  @Test(arguments: [
    ("200000 100000\n", 2), ("150000 100000", 2), ("50000 100000\n", 1), ("1000 100000\n", 1),
    ("100001 100000\n", 2), ("9223372036854775807 1", Int.max),
    ("max 100000\n", nil), ("", nil), ("max", nil), ("200000", nil), ("0 100000", nil), ("-1 100000", nil),
    ("200000 0", nil), ("200000 100000 1", nil), ("99999999999999999999 100000", nil), ("a b", nil),
  ])
  func cpuMax(_ text: String, _ processors: Int?) {
    #expect(CPUQuota(cpuMax: text)?.processors == processors)
  }

  @Test(arguments: [
    ("200000\n", "100000\n", 2), ("250000\n", "100000\n", 3), ("-1\n", "100000\n", nil),
    ("", "100000\n", nil),
    ("200000\n", "", nil), ("200000\n", "0\n", nil),
  ])
  func cfsQuota(_ quota: String, _ period: String, _ processors: Int?) {
    #expect(CPUQuota(cfsQuota: quota, cfsPeriod: period)?.processors == processors)
  }

  @Test func theUnifiedPath() {
    let text = "4:cpu,cpuacct:/v1/group\n1:name=systemd:/x\n0::/kubepods/pod1/c:2\n"
    #expect(ControlGroup.unifiedPath(text) == "/kubepods/pod1/c:2")
    #expect(ControlGroup.processorPath(text) == "/v1/group")
  }

  @Test(arguments: ["", "\n", "nonsense", "3:cpuset:/a\n", "1:memory:/b"])
  func aTextWithoutThem(_ text: String) {
    #expect(ControlGroup.unifiedPath(text) == nil)
    #expect(ControlGroup.processorPath(text) == nil)
  }

  @Test(
    arguments: [
      ("/", ["/m"]),
      ("/a/b", ["/m/a/b", "/m/a", "/m"]),
      ("/../../a", ["/m/a", "/m"]),
    ] as [(Substring, [String])])
  func everyLevelIsAsked(_ path: Substring, _ folders: [String]) {
    #expect(ControlGroup.folders(of: path, in: "/m") == folders)
  }

  @Test func thereIsAtLeastOneProcessorAndNoMoreThanTheMachineHas() {
    let count = ProcessLimits.availableProcessors()
    #expect(count >= 1)
    #expect(count <= sysconf(Int32(_SC_NPROCESSORS_CONF)))
  }

  /// In a child process: the limit is the process's.
  @Test func theSoftLimitRisesToTheHardOne() async {
    await #expect(processExitsWith: .success) {
      var limit = rlimit()
      guard unsafe getrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(2) }
      limit.rlim_cur = min(64, limit.rlim_max)
      limit.rlim_max = min(512, limit.rlim_max)
      guard unsafe setrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(3) }
      guard ProcessLimits.raiseDescriptorLimit() == Int(limit.rlim_max) else { exit(4) }
      var after = rlimit()
      guard unsafe getrlimit(Int32(RLIMIT_NOFILE.rawValue), &after) == 0 else { exit(5) }
      exit(after.rlim_cur == limit.rlim_max ? 0 : 6)
    }
  }

  @Test(arguments: [
    (ECONNREFUSED, "ECONNREFUSED", "connect: Connection refused (ECONNREFUSED)"),
    (EMFILE, "EMFILE", "connect: Too many open files (EMFILE)"),
    (4_711, "errno 4711", "connect: unknown error (errno 4711)"),
  ])
  func anErrorSaysItsNameAndItsWords(_ code: Int32, _ name: String, _ text: String) {
    let error = SystemError(call: "connect", code: code)
    #expect(error.name == name)
    #expect(error.description == text)
    #expect(error.call == "connect")
  }
}
