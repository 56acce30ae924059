"""What can happen to an audit log while the gateway runs. A fault says where the log is and how to begin
(`audit`, `wrapper`, `prepare`), strikes, and is mended."""

import fcntl
import os
import resource
import subprocess
import threading


class Fault:
    wrapper = ()
    audit = {}

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.path = folder / "audit.log"

    def prepare(self, front):
        """Before the start."""
        front.log = self.path

    def data(self):
        """What the log holds, or its reader has seen."""
        return self.path.read_bytes()

    def close(self):
        pass


class SizeLimit(Fault):
    """The file may not grow (RLIMIT_FSIZE): the next record fits in part, and then the kernel says EFBIG."""

    def strike(self, front):
        self._limit(front, self.path.stat().st_size + 700)

    def mend(self, front):
        self._limit(front, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(front, soft):
        hard = resource.prlimit(front.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(front.pid, resource.RLIMIT_FSIZE, (soft, hard))


class FullDisk(SizeLimit):
    """The file system is full: one of 128 KiB for root, who may mount it; for others a file that may not grow."""

    def __init__(self, folder):
        super().__init__(folder)
        command = ["mount", "-t", "tmpfs", "-o", "size=128k,mode=700", "tmpfs", folder]
        self.mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0

    def strike(self, front):
        if not self.mounted:
            return super().strike(front)
        with open(self.folder / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError:
                pass

    def mend(self, front):
        if not self.mounted:
            return super().mend(front)
        (self.folder / "filler").unlink()

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder], check=True)


class RemovedFile(Fault):
    """The file is removed, and its folder is read-only, so that it cannot be made anew. Root could (with the
    capability to), so that root's gateway runs without it."""

    wrapper = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    kept = b""

    def strike(self, front):
        self.kept = self.path.read_bytes()
        self.path.unlink()
        self.folder.chmod(0o500)

    def mend(self, front):
        self.folder.chmod(0o700)

    def data(self):
        return self.kept + (self.path.read_bytes() if self.path.exists() else b"")

    def close(self):
        self.folder.chmod(0o700)


class Pipe(Fault):
    """A FIFO of one page with a reader, which puts what it reads into a file."""

    def __init__(self, folder):
        super().__init__(folder)
        self.fifo = folder / "fifo"
        self.audit = {"path": str(self.fifo)}
        os.mkfifo(self.fifo)
        self.path.touch()
        self.lock = threading.Lock()
        self.reader = self._open()
        threading.Thread(target=self._read, daemon=True).start()

    def _open(self):
        reader = os.open(self.fifo, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        return reader

    reading = True

    def _read(self):
        pause = threading.Event()
        with open(self.path, "ab", buffering=0) as log:
            while not pause.wait(0.001):
                with self.lock:
                    if self.reader is None or not self.reading:
                        continue
                    try:
                        log.write(os.read(self.reader, 65536))
                    except BlockingIOError:
                        pass


class ClosedPipe(Pipe):
    """The reader of the pipe goes away, and another comes."""

    def strike(self, front):
        with self.lock:
            os.close(self.reader)
            self.reader = None

    def mend(self, front):
        with self.lock:
            self.reader = self._open()


class SlowReader(Pipe):
    """The reader of the pipe stops reading."""

    def strike(self, front):
        with self.lock:
            self.reading = False

    def mend(self, front):
        with self.lock:
            self.reading = True
