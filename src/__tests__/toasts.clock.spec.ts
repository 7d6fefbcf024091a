import { startTime } from '../toasts/clock';

describe('startTime', () => {
  const started = jest.fn();
  let toast: HTMLElement;
  let bar: HTMLElement;

  /** Listen as React does, which sets up its listener after drawing. */
  const listen = () => toast.addEventListener('d', started, { once: true });

  beforeEach(() => {
    started.mockClear();
    toast = document.createElement('div');
    toast.className = 'Toastify__toast';
    toast.dataset.jpNotify = 'success';
    bar = toast.appendChild(document.createElement('div'));
    bar.setAttribute('role', 'progressbar');
    bar.style.animationPlayState = 'paused';
  });

  it('lets a time begin whose event came before there was a listener', () => {
    toast.dispatchEvent(new Event('d'));
    listen();
    startTime(toast);
    expect(started).toHaveBeenCalledTimes(1);
    startTime(toast);
    expect(started).toHaveBeenCalledTimes(1);
  });

  it('leaves a toast alone that still comes in', () => {
    toast.classList.add('Toastify--animate', 'Toastify__slide-enter--top');
    listen();
    startTime(toast);
    expect(started).not.toHaveBeenCalled();
  });

  it('leaves a time alone that runs', () => {
    bar.style.animationPlayState = 'running';
    listen();
    startTime(toast);
    expect(started).not.toHaveBeenCalled();
  });

  it('leaves toasts of other extensions alone', () => {
    delete toast.dataset.jpNotify;
    listen();
    startTime(toast);
    expect(started).not.toHaveBeenCalled();
  });
});
