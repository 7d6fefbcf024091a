// One by one: what base.css imports would be built with its comments.
import './bell.css';
import './toasts.css';
